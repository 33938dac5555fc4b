/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does this machine take unsigned modules, is ours signed, and is the key trusted? Asked
 * of files, and of mokutil and modinfo where they are installed.
 */
#ifndef COWTRACE_SIGNING_H
#define COWTRACE_SIGNING_H

#include <stdbool.h>

enum ct_known { CT_NOT_KNOWN, CT_NO, CT_YES };

/**
 * enum ct_enrolled - whether the firmware's list of owner's keys (MOK) has a key
 * @CT_ENROLLED_UNKNOWN: mokutil is not there, or could not tell.
 * @CT_ENROLLED_NO: it has not.
 * @CT_ENROLLED_ASKED: it was asked to; the owner has to confirm at the next boot.
 * @CT_ENROLLED_YES: it has.
 */
enum ct_enrolled {
	CT_ENROLLED_UNKNOWN,
	CT_ENROLLED_NO,
	CT_ENROLLED_ASKED,
	CT_ENROLLED_YES,
};

/**
 * struct ct_signing - what was found
 * @efi: the machine was booted by EFI, which Secure Boot needs.
 * @secure_boot: the EFI variable SecureBoot; not known where it cannot be read.
 * @enforced: sig_enforce, which CONFIG_MODULE_SIG_FORCE sets for good: only modules with
 *	a valid signature load.
 * @lockdown: none, integrity or confidentiality; empty when the kernel does not say. All
 *	but none asks for signatures too.
 * @module_signed: the module file has a signature; not known where there is no file, or
 *	one that only modinfo can read, and there is no modinfo.
 * @signer: who signed it, empty when not known.
 * @key: certificate that dkms signs with, empty when there is none.
 * @mokutil: mokutil is installed.
 * @enrolled: that certificate.
 */
struct ct_signing {
	bool		efi;
	enum ct_known	secure_boot;
	enum ct_known	enforced;
	char		lockdown[32];
	enum ct_known	module_signed;
	char		signer[96];
	char		key[256];
	bool		mokutil;
	enum ct_enrolled enrolled;
};

/**
 * ct_signing_look() - look at all of that
 * @s: filled in.
 * @root: put before each path of the system, "" for the system itself.
 * @module: path of the module file, below @root; empty when there is none.
 * @config: the kernel's configuration, NULL when not known.
 */
void ct_signing_look(struct ct_signing *s, const char *root, const char *module,
		     const char *config);

/* Does the kernel refuse a module without a signature? */
bool ct_signing_required(const struct ct_signing *s);

#endif /* COWTRACE_SIGNING_H */
