// SPDX-License-Identifier: GPL-2.0
/* usage: make-hostile OUT: writes a trace of a thousand processes with bad names. */
#include "hostile.h"

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	make_hostile_trace(argv[1], 1000, 5000);
	return 0;
}
