# SPDX-License-Identifier: GPL-2.0
# What is built is said by a word and a name each, with V=1 by its whole command.
ifeq ($(V),1)
q	:=
say	= @:
else
q	:= @
say	= @printf '  %-7s %s\n'
endif
