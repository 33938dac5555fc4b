// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "module_load.h"
#include "signing.h"
#include "tool.h"

#define EFI	"/sys/firmware/efi"
#define SECURE_BOOT	EFI "/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* What stands behind a signature that was appended to a module: MODULE_SIG_STRING. */
#define SIGNED	"~Module signature appended~\n"

static const char *below(const char *root, const char *path, char *to, size_t size)
{
	snprintf(to, size, "%s%s", root, path);
	return to;
}

static enum ct_known secure_boot(const char *root)
{
	enum ct_known known = CT_NOT_KNOWN;
	unsigned char value[5];
	char path[512];
	int fd = open(below(root, SECURE_BOOT, path, sizeof(path)), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return CT_NOT_KNOWN;
	/* Four bytes of attributes stand before the value. */
	if (read(fd, value, sizeof(value)) == sizeof(value))
		known = value[4] == 1 ? CT_YES : CT_NO;
	close(fd);
	return known;
}

static enum ct_known enforced(const char *root, const char *config)
{
	enum ct_known known = CT_NOT_KNOWN;
	char path[512];
	FILE *f = fopen(below(root, "/sys/module/module/parameters/sig_enforce", path,
			      sizeof(path)), "re");

	if (f) {
		int c = fgetc(f);

		known = c == 'Y' ? CT_YES : c == 'N' ? CT_NO : CT_NOT_KNOWN;
		fclose(f);
	}
	if (known == CT_NOT_KNOWN && config)
		known = strstr(config, "\nCONFIG_MODULE_SIG_FORCE=y") ? CT_YES : CT_NO;
	return known;
}

/* One that is compressed has its end inside: only modinfo can tell. */
static bool has_trailer(const char *path)
{
	char end[sizeof(SIGNED)] = "";
	FILE *f = fopen(path, "re");
	bool has;

	if (!f)
		return false;
	has = !fseek(f, -(long)strlen(SIGNED), SEEK_END) &&
	      fread(end, 1, strlen(SIGNED), f) == strlen(SIGNED) && !strcmp(end, SIGNED);
	fclose(f);
	return has;
}

static void look_at_module(struct ct_signing *s, const char *root, const char *module)
{
	char path[1024], said[8192], line[128], *at;
	char *argv[] = { "modinfo", path, NULL };
	size_t length = strlen(module);
	bool plain = length > 3 && !strcmp(module + length - 3, ".ko");

	if (!length)
		return;
	below(root, module, path, sizeof(path));
	if (plain)
		s->module_signed = has_trailer(path) ? CT_YES : CT_NO;
	if (ct_tool_run(root, argv, said, sizeof(said)))
		return;
	if (!plain)
		s->module_signed = strstr(said, "\nsig_id:") ? CT_YES : CT_NO;
	at = strstr(said, "\nsigner:");
	if (at && s->module_signed == CT_YES && sscanf(at, " signer: %127[^\n]", line) == 1)
		ct_clean_text(s->signer, sizeof(s->signer), line, sizeof(line));
}

/* A setting of dkms is a line of shell, NAME=VALUE or NAME="VALUE"; the last one counts. */
static void read_setting(const char *file, const char *name, char *value, size_t size)
{
	FILE *f = fopen(file, "re");
	size_t length = strlen(name);
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		char *from = line + strspn(line, " \t"), *end;

		if (strncmp(from, name, length) || from[length] != '=')
			continue;
		from += length + 1;
		from += *from == '"' || *from == '\'';
		end = from + strcspn(from, "\"'\n \t");
		*end = '\0';
		snprintf(value, size, "%s", from);
	}
	if (f)
		fclose(f);
}

static void find_key(struct ct_signing *s, const char *root)
{
	char path[512], key[sizeof(s->key)] = "/var/lib/dkms/mok.pub";
	glob_t files = { 0 };

	read_setting(below(root, "/etc/dkms/framework.conf", path, sizeof(path)),
		     "mok_certificate", key, sizeof(key));
	if (!glob(below(root, "/etc/dkms/framework.conf.d/*.conf", path, sizeof(path)), 0, NULL,
		  &files))
		for (size_t i = 0; i < files.gl_pathc; i++)
			read_setting(files.gl_pathv[i], "mok_certificate", key, sizeof(key));
	globfree(&files);
	if (!access(below(root, key, path, sizeof(path)), F_OK))
		ct_clean_text(s->key, sizeof(s->key), key, sizeof(key));
}

/* Its exit status has said either thing, by its version: its words have not changed. */
static void ask_mokutil(struct ct_signing *s, const char *root)
{
	char path[512], said[512];
	char *argv[] = { "mokutil", "--test-key", path, NULL };

	below(root, s->key, path, sizeof(path));
	s->mokutil = ct_tool_run(root, argv, said, sizeof(said)) >= 0;
	if (strstr(said, "is already enrolled") || strstr(said, "is already in db") ||
	    strstr(said, "is already in the built-in trusted keyring"))
		s->enrolled = CT_ENROLLED_YES;
	else if (strstr(said, "in the enrollment request"))
		s->enrolled = CT_ENROLLED_ASKED;
	else if (strstr(said, "is not enrolled"))
		s->enrolled = CT_ENROLLED_NO;
}

void ct_signing_look(struct ct_signing *s, const char *root, const char *module,
		     const char *config)
{
	char path[512];

	memset(s, 0, sizeof(*s));
	s->efi = !access(below(root, EFI, path, sizeof(path)), F_OK);
	s->secure_boot = secure_boot(root);
	s->enforced = enforced(root, config);
	if (ct_lockdown(root, s->lockdown, sizeof(s->lockdown)))
		s->lockdown[0] = '\0';
	look_at_module(s, root, module);
	find_key(s, root);
	if (s->key[0])
		ask_mokutil(s, root);
}

bool ct_signing_required(const struct ct_signing *s)
{
	return s->enforced == CT_YES || (s->lockdown[0] && strcmp(s->lockdown, "none"));
}
