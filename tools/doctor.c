// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor is a shell script, since `make install' asks it before there is
 * anything to build with. Here it only is found and run.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "out.h"

/* Of a source tree that this program was built in; else the installed one. */
static const char * const places[] = { "../scripts/doctor", "../../scripts/doctor" };

int cmd_doctor(char **argv)
{
	char self[PATH_MAX], path[PATH_MAX + 32], *slash;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	self[len < 0 ? 0 : len] = '\0';
	slash = strrchr(self, '/');
	/* What is installed runs nothing from beside itself. */
	if (slash && strncmp(self, PREFIX "/", strlen(PREFIX "/"))) {
		*slash = '\0';
		for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
			snprintf(path, sizeof(path), "%s/%s", self, places[i]);
			if (access(path, X_OK))
				continue;
			argv[0] = path;
			execv(path, argv);
		}
	}
	argv[0] = LIBDIR "/doctor";
	execv(argv[0], argv);
	die("cannot run %s: %s; install the package kptr-nmi-guard", argv[0], strerror(errno));
}
