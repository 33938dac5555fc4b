// SPDX-License-Identifier: GPL-2.0
/* cowtrace doctor: does this machine load our module, as it is signed? */
#include <stdio.h>

#include "doctor.h"
#include "signing.h"

#define REFUSED_MODULE	"this kernel refuses a module without a signature of a key that it trusts"

void tell_secure_boot(struct finding *f, const struct ct_signing *s)
{
	if (!s->efi)
		found(f, OK, "the machine was not booted by EFI: there is none");
	else if (s->secure_boot == CT_NOT_KNOWN)
		found(f, UNKNOWN, "the EFI variable cannot be read");
	else
		found(f, OK, "%s", s->secure_boot == CT_YES ? "on" : "off");
	if (f->state == UNKNOWN)
		means(f, false, "with Secure Boot only signed modules may load",
		      "mount -t efivarfs none /sys/firmware/efi/efivars");
}

void tell_required(struct finding *f, const struct ct_signing *s)
{
	static const char *const enforced[] = {
		[CT_NOT_KNOWN] = "not known", [CT_NO] = "N", [CT_YES] = "Y",
	};

	found(f, OK, "%s: sig_enforce %s, lockdown %s",
	      ct_signing_required(s) ? "required" : "not required", enforced[s->enforced],
	      s->lockdown[0] ? s->lockdown : "not there");
	if (s->enforced != CT_NOT_KNOWN || ct_signing_required(s))
		return;
	f->state = UNKNOWN;
	means(f, false, "an unsigned module may be refused",
	      "the kernel log tells when it is: cowtrace doctor, after modprobe cowtrace");
}

/* What makes a signature, where there is none. */
static void sign(struct finding *f, const struct ct_signing *s, bool vital)
{
	char next[sizeof(f->next)];

	if (s->key[0])
		snprintf(next, sizeof(next),
			 "dkms signs what it builds, with %.128s: install the package cowtrace-dkms, or dkms build --force",
			 s->key);
	else
		snprintf(next, sizeof(next),
			 "install the package cowtrace-dkms, whose dkms makes a key and signs, or sign it by hand: README, Secure Boot");
	means(f, vital, REFUSED_MODULE, next);
}

void tell_signature(struct finding *f, const struct ct_signing *s, bool installed, bool loaded)
{
	if (!installed) {
		found(f, OK, "no module is installed");
	} else if (s->module_signed == CT_NOT_KNOWN) {
		found(f, ct_signing_required(s) ? UNKNOWN : OK,
		      "not known: the module is compressed, and there is no modinfo here");
		means(f, false, "it may be refused", "apt-get install kmod");
	} else if (s->module_signed == CT_YES) {
		found(f, OK, s->signer[0] ? "signed by %s" : "signed, by whom is not known",
		      s->signer);
	} else {
		found(f, ct_signing_required(s) ? REFUSED : OK, "unsigned");
		if (ct_signing_required(s))
			sign(f, s, !loaded);
	}
}

void tell_key(struct finding *f, const struct ct_signing *s)
{
	bool required = ct_signing_required(s);
	char next[sizeof(f->next)];

	if (!s->key[0]) {
		found(f, required ? MISSING : OK, "dkms has none");
		if (required)
			means(f, false, "dkms signs with a key of this machine",
			      "install the package cowtrace-dkms: dkms makes one");
		return;
	}
	if (s->enrolled == CT_ENROLLED_YES) {
		found(f, OK, "%.160s is enrolled", s->key);
	} else if (s->enrolled == CT_ENROLLED_ASKED) {
		found(f, required ? MISSING : OK, "%.160s waits to be enrolled", s->key);
		means(f, false, "the kernel does not trust it yet",
		      "reboot, and confirm \"Enroll MOK\" at the console");
	} else if (s->enrolled == CT_ENROLLED_NO) {
		found(f, required ? MISSING : OK, "%.160s is not enrolled", s->key);
		snprintf(next, sizeof(next),
			 "mokutil --import %.160s, reboot, and confirm \"Enroll MOK\" at the console",
			 s->key);
		means(f, false, "what dkms signs with it is refused", next);
	} else {
		found(f, required ? UNKNOWN : OK, "%.160s, %s", s->key,
		      s->mokutil ? "and mokutil cannot tell whether it is enrolled" :
		      "and no mokutil to ask whether it is enrolled");
		means(f, false, "what dkms signs with it is refused unless it is",
		      s->mokutil ? "mokutil --test-key says why, as root" :
		      "apt-get install mokutil");
	}
}
