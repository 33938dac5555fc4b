# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# It is to find that a name with a space becomes two.
planted() { rm $1; }
