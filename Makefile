# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# make                    build/gilwatch
# make check              unit tests (no rights needed)
# make check-vmlinux      the kernel types that are read, against the running kernel
# make check-live         tests on real interpreters (root)
# make check-bench        the benchmark's statistics (no rights needed)
# make bench              gilwatch and its peers, side by side: minutes, and a quiet machine (root);
#                         BENCH="--fast --only cycles" gives it options
# make fuzz               damaged copies of this machine's interpreters, for FUZZ_SECONDS
# make install            DESTDIR and PREFIX are honoured
# make format             clang-format over everything
#
# BUILD is the directory of all output; CC, CLANG, BPFTOOL, CFLAGS as usual.

BUILD	 ?= build
PREFIX	 ?= /usr/local
CC	 ?= cc
CLANG	 ?= clang
BPFTOOL	 ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
VERSION	 := 0.1.0

CFLAGS	 ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wundef
LIBS	 := libbpf libdw libelf jansson libseccomp liblzma libcap ncursesw
# Loaded where they are used, by their sonames: see user/util/library.h.
LATE_LIBS := capstone libmicrohttpd
soname	  = $(shell readelf -d "$$($(CC) -print-file-name=lib$(1).so)" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p')
CAPSTONE    := $(call soname,capstone)
MICROHTTPD  := $(call soname,microhttpd)
ALL_CFLAGS = -std=gnu11 $(WARNINGS) -D_GNU_SOURCE -DGW_VERSION='"$(VERSION)"' \
	-DGW_CAPSTONE='"$(CAPSTONE)"' -DGW_MICROHTTPD='"$(MICROHTTPD)"' \
	-Iinclude -Iuser -isystem $(BUILD)/bpf $(shell $(PKG_CONFIG) --cflags $(LIBS) $(LATE_LIBS)) $(CFLAGS)
ALL_LIBS = -pthread $(shell $(PKG_CONFIG) --libs $(LIBS)) -lm -ldl $(LDFLAGS)

# The target machine's own headers are needed for <asm/types.h>.
MULTIARCH  := $(shell $(CC) -print-multiarch 2>/dev/null || true)
ARCH	   := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(shell uname -m)))
BPF_CFLAGS := -std=gnu11 -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) \
	-Wall -Wextra -Werror -Wno-unused-parameter -Ivmlinux -Iinclude -Ibpf \
	$(addprefix -idirafter ,$(wildcard /usr/include/$(or $(MULTIARCH),$(shell uname -m)-linux-gnu)))

BPF_SOURCES  := $(sort $(wildcard bpf/*.bpf.c))
BPF_OBJECTS  := $(BPF_SOURCES:bpf/%.bpf.c=$(BUILD)/bpf/%.o)
BPF_HEADERS  := $(wildcard bpf/*.h include/gilwatch/*.h vmlinux/*.h)
SKELETON     := $(BUILD)/bpf/gilwatch.skel.h

USER_SOURCES := $(sort $(wildcard user/*.c user/*/*.c))
USER_OBJECTS := $(USER_SOURCES:user/%.c=$(BUILD)/user/%.o)
LIB_OBJECTS  := $(filter-out $(BUILD)/user/main.o,$(USER_OBJECTS))
LIBRARY      := $(BUILD)/libgilwatch.a

UNIT_TESTS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_HELPERS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%.o,$(filter-out tests/unit/test_%.c,$(sort $(wildcard tests/unit/*.c))))

# `make V=1` shows the commands.
ifeq ($(V),)
Q   := @
say  = @printf '  %-8s %s\n' $(1) $(2)
endif

.PHONY: all check check-vmlinux check-live check-bench bench bench-helpers live-helpers fuzz install format format-check clean
.SECONDARY:

all: $(BUILD)/gilwatch

$(BUILD)/gilwatch: $(BUILD)/user/main.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(ALL_LIBS)

# All of the program but its main, for the tests.
$(LIBRARY): $(LIB_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/user/%.o: user/%.c $(SKELETON)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/bpf/%.o: bpf/%.bpf.c $(BPF_HEADERS)
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(BUILD)/bpf/gilwatch.bpf.o: $(BPF_OBJECTS)
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(SKELETON): $(BUILD)/bpf/gilwatch.bpf.o
	$(call say,SKELETON,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name gilwatch > $@.tmp
	$(Q)mv $@.tmp $@

$(BUILD)/tests/%.o: tests/unit/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -DGW_GOLDEN_DIR='"tests/golden"' -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(UNIT_HELPERS) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ -lcmocka $(ALL_LIBS)

check: $(UNIT_TESTS) $(BUILD)/gilwatch
	@failed=0; for test in $(UNIT_TESTS); do $$test || failed=1; done; exit $$failed

# Each member of the kernel's types that the BPF programs read, against the running kernel's BTF.
check-vmlinux: $(BUILD)/tests/check_vmlinux $(BUILD)/bpf/gilwatch.bpf.o
	$(BUILD)/tests/check_vmlinux $(BUILD)/bpf/gilwatch.bpf.o

$(BUILD)/tests/check_vmlinux: tests/vmlinux/check_vmlinux.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< -lbpf -lelf

# Damaged copies of interpreters, for a crash: see tests/fuzz/README.md.
FUZZ_SECONDS ?= 20
FUZZ_SEED    ?= 1
FUZZ_FILES   ?= $(sort $(realpath $(wildcard /usr/bin/python3.* /usr/lib/*/libpython3*.so*)))

fuzz: $(BUILD)/tests/fuzz_files
	$(BUILD)/tests/fuzz_files $(FUZZ_SECONDS) $(FUZZ_SEED) $(FUZZ_FILES)

$(BUILD)/tests/fuzz_files: tests/fuzz/fuzz_files.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(LIBRARY) $(ALL_LIBS)

# What the live tests ask of gilwatch's parts, and gilwatch itself does not tell.
live-helpers: $(BUILD)/tests/sites

$(BUILD)/tests/sites: tests/live/sites.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LIBS)

check-live: $(BUILD)/gilwatch live-helpers
	GILWATCH=$(abspath $(BUILD)/gilwatch) /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/live

check-bench:
	PYTHONDONTWRITEBYTECODE=1 python3 tests/unit/check_bench.py

# Programs that the benchmark runs and that are not in Python.
bench-helpers: $(addprefix $(BUILD)/bench/,pingpong empty empty.bpf.o look)

bench: $(BUILD)/gilwatch bench-helpers
	BUILD=$(abspath $(BUILD)) PYTHONDONTWRITEBYTECODE=1 python3 tools/bench/bench.py $(BENCH)

$(BUILD)/bench/%: tools/bench/programs/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LIBS)

$(BUILD)/bench/%.bpf.o: tools/bench/programs/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

install: $(BUILD)/gilwatch
	install -D -m 755 $(BUILD)/gilwatch $(DESTDIR)$(PREFIX)/bin/gilwatch
	install -D -m 644 docs/gilwatch.1 $(DESTDIR)$(PREFIX)/share/man/man1/gilwatch.1
	install -D -m 644 docs/completion/gilwatch.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/gilwatch
	install -D -m 644 docs/completion/_gilwatch \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_gilwatch

FORMATTED := $(shell git ls-files -co --exclude-standard "*.c" "*.h" 2>/dev/null)

format:
	clang-format -i $(FORMATTED)

format-check:
	clang-format --dry-run --Werror $(FORMATTED)

clean:
	rm -rf $(BUILD)

-include $(USER_OBJECTS:.o=.d) $(UNIT_TESTS:=.d) $(UNIT_HELPERS:.o=.d)
