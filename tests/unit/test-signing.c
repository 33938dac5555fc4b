// SPDX-License-Identifier: GPL-2.0
/* Secure Boot: what a machine asks of a module, and what doctor says about it. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "signing.h"
#include "tap.h"

#define EFIVAR "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define MODULE	"/lib/modules/cowtrace.ko"
#define TRAILER	"~Module signature appended~\n"
#define KEY	"/var/lib/dkms/mok.pub"

static char root[] = "/tmp/signing-XXXXXX";

/* A machine is what its files say. */
static void put_as(const char *name, const void *text, size_t size, mode_t mode)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || write(fd, text, size) != (ssize_t)size)
		exit(1);
	close(fd);
}

static void put(const char *name, const char *text)
{
	put_as(name, text, strlen(text), 0644);
}

/* What a tool of the machine says to what it is asked. */
static void tool(const char *name, const char *says, int status)
{
	char script[512], path[64];

	snprintf(path, sizeof(path), "usr/bin/%s", name);
	snprintf(script, sizeof(script), "#!/bin/sh\ncat <<'EOF'\n%s\nEOF\nexit %d\n", says,
		 status);
	put_as(path, script, strlen(script), 0755);
}

static int take(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	return where->level ? remove(path) : 0;
}

static void new_machine(void)
{
	nftw(root, take, 8, FTW_DEPTH | FTW_PHYS);
}

static void boot(bool secure, const char *enforce, const char *lockdown)
{
	put_as(EFIVAR, secure ? "\6\0\0\0\1" : "\6\0\0\0", 5, 0644);
	put("sys/module/module/parameters/sig_enforce", enforce);
	put("sys/kernel/security/lockdown", lockdown);
}

static struct ct_signing look(const char *config)
{
	struct ct_signing s;

	ct_signing_look(&s, root, MODULE, config);
	return s;
}

static void check_machine(void)
{
	struct ct_signing s;

	new_machine();
	s = look(NULL);
	ok(!s.efi && s.secure_boot == CT_NOT_KNOWN && s.enforced == CT_NOT_KNOWN &&
	   !s.lockdown[0] && s.module_signed == CT_NO && !s.key[0],
	   "a machine without any of that has none of it");
	ok(!ct_signing_required(&s), "and nobody asks for signatures");
	s = look("#\nCONFIG_MODULE_SIG_FORCE=y\n");
	ok(s.enforced == CT_YES, "without sig_enforce the kernel's configuration tells");
	s = look("#\nCONFIG_MODULE_SIG=y\n");
	ok(s.enforced == CT_NO, "also that it enforces nothing");

	boot(false, "N\n", "[none] integrity confidentiality\n");
	s = look("#\nCONFIG_MODULE_SIG_FORCE=y\n");
	ok(s.efi && s.secure_boot == CT_NO, "Secure Boot is off: the fifth byte is 0");
	ok(s.enforced == CT_NO && !ct_signing_required(&s), "sig_enforce N is what counts");
	boot(true, "N\n", "none [integrity] confidentiality\n");
	s = look(NULL);
	ok(s.secure_boot == CT_YES, "Secure Boot is on: it is 1");
	ok(!strcmp(s.lockdown, "integrity") && ct_signing_required(&s),
	   "lockdown asks for signatures too");
	put_as(EFIVAR, "\6\0\0\0", 4, 0644);
	s = look(NULL);
	ok(s.secure_boot == CT_NOT_KNOWN, "a variable without a value is not known");
}

static void check_module(void)
{
	struct ct_signing s;

	new_machine();
	put(MODULE + 1, "ELF" TRAILER);
	s = look(NULL);
	ok(s.module_signed == CT_YES && !s.signer[0],
	   "a module that ends in the trailer is signed; by whom only modinfo knows");
	tool("modinfo",
	     "filename: x\nsig_id: PKCS#7\nsigner:   DKMS module signing key\nsig_key: 7F", 0);
	s = look(NULL);
	ok(!strcmp(s.signer, "DKMS module signing key"), "which says who");
	put(MODULE + 1, "ELF" TRAILER "x");
	s = look(NULL);
	ok(s.module_signed == CT_NO && !s.signer[0], "behind the trailer nothing may follow");
	put("lib/modules/c.ko.xz", "7zXZ");
	ct_signing_look(&s, root, "/lib/modules/c.ko.xz", NULL);
	ok(s.module_signed == CT_YES, "of a compressed one modinfo tells");
	tool("modinfo", "filename: x\nvermagic: 6.1", 0);
	ct_signing_look(&s, root, "/lib/modules/c.ko.xz", NULL);
	ok(s.module_signed == CT_NO, "also that it is not");
	tool("modinfo", "", 1);
	ct_signing_look(&s, root, "/lib/modules/c.ko.xz", NULL);
	ok(s.module_signed == CT_NOT_KNOWN, "where it fails, nothing is known");
	tool("modinfo", "filename: x\nsig_id: PKCS#7\nsigner: a\033[31m\377", 0);
	put(MODULE + 1, TRAILER);
	s = look(NULL);
	ok(!strcmp(s.signer, "a?[31m?"), "a name of any bytes does the terminal no harm");
}

static void check_dkms(void)
{
	struct ct_signing s;

	new_machine();
	tool("mokutil", "x is already enrolled", 1);
	s = look(NULL);
	ok(!s.key[0] && s.enrolled == CT_ENROLLED_UNKNOWN, "without a key none is enrolled");
	put(KEY + 1, "DER");
	s = look(NULL);
	ok(!strcmp(s.key, KEY) && s.enrolled == CT_ENROLLED_YES,
	   "a key that mokutil knows is enrolled, whatever its exit status");
	tool("mokutil", "x is already in db", 1);
	s = look(NULL);
	ok(s.enrolled == CT_ENROLLED_YES, "so is one that the firmware's own list has");
	tool("mokutil", "x is already in the enrollment request", 1);
	s = look(NULL);
	ok(s.enrolled == CT_ENROLLED_ASKED, "one that waits for the next boot is not yet");
	tool("mokutil", "x is not enrolled", 0);
	s = look(NULL);
	ok(s.enrolled == CT_ENROLLED_NO, "one that it does not know is not");
	tool("mokutil", "EFI variables are not supported on this system", 1);
	s = look(NULL);
	ok(s.mokutil && s.enrolled == CT_ENROLLED_UNKNOWN,
	   "where mokutil cannot tell it is unknown");
	put("etc/dkms/framework.conf", "# mok_certificate=/no\nmok_certificate=\"/root/a.der\"\n");
	put("root/a.der", "DER");
	s = look(NULL);
	ok(!strcmp(s.key, "/root/a.der"), "the configuration of dkms may name another");
	put("etc/dkms/framework.conf.d/b.conf", "mok_certificate=/root/b.der\n");
	s = look(NULL);
	ok(!s.key[0], "and a later file yet another, which must be there");
}

/* Each word of a finding that a case must have; NULL ends them. */
static bool says(const struct finding *f, enum state state, const char *what, const char *next)
{
	bool good = f->state == state && strstr(f->found, what) && strstr(f->next, next);

	if (!good)
		note("state %d, found \"%s\", next \"%s\"", f->state, f->found, f->next);
	return good;
}

static void check_findings(void)
{
	struct ct_signing s = { .efi = true, .secure_boot = CT_YES, .enforced = CT_NO };
	struct finding f = { 0 };

	tell_secure_boot(&f, &s);
	ok(says(&f, OK, "on", ""), "Secure Boot alone stops no module");
	s.module_signed = CT_NO;
	memset(&f, 0, sizeof(f));
	tell_signature(&f, &s, true, false);
	ok(says(&f, OK, "unsigned", ""), "an unsigned module is fine where nobody asks");

	strcpy(s.lockdown, "integrity");
	memset(&f, 0, sizeof(f));
	tell_required(&f, &s);
	ok(says(&f, OK, "required: sig_enforce N, lockdown integrity", ""), "lockdown requires it");
	memset(&f, 0, sizeof(f));
	tell_signature(&f, &s, true, false);
	ok(says(&f, REFUSED, "unsigned", "cowtrace-dkms") && f.vital,
	   "there an unsigned module is refused, and the next step is a package that signs");
	memset(&f, 0, sizeof(f));
	tell_signature(&f, &s, true, true);
	ok(!f.vital, "which is not vital while it is loaded");
	memset(&f, 0, sizeof(f));
	tell_key(&f, &s);
	ok(says(&f, MISSING, "dkms has none", "cowtrace-dkms"), "without a key: let dkms make one");

	strcpy(s.key, KEY);
	memset(&f, 0, sizeof(f));
	tell_key(&f, &s);
	ok(says(&f, UNKNOWN, "no mokutil", "apt-get install mokutil"),
	   "a key and no mokutil: get it");
	s.mokutil = true;
	s.enrolled = CT_ENROLLED_NO;
	memset(&f, 0, sizeof(f));
	tell_key(&f, &s);
	ok(says(&f, MISSING, "not enrolled", "mokutil --import " KEY ", reboot"),
	   "a key that is not enrolled: import it");
	s.enrolled = CT_ENROLLED_ASKED;
	memset(&f, 0, sizeof(f));
	tell_key(&f, &s);
	ok(says(&f, MISSING, "waits", "reboot"), "one that waits: reboot and confirm");
	s.enrolled = CT_ENROLLED_YES;
	memset(&f, 0, sizeof(f));
	tell_key(&f, &s);
	ok(says(&f, OK, "is enrolled", ""), "one that is: nothing to do");
	s.module_signed = CT_YES;
	strcpy(s.signer, "DKMS module signing key");
	memset(&f, 0, sizeof(f));
	tell_signature(&f, &s, true, false);
	ok(says(&f, OK, "signed by DKMS module signing key", ""), "nor to a signed module");
}

int main(void)
{
	if (!mkdtemp(root))
		return 1;
	check_machine();
	check_module();
	check_dkms();
	check_findings();
	new_machine();
	rmdir(root);
	return tap_end();
}
