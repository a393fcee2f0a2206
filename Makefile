# ptp: the reverse proxy. GNU make; targets are listed by `make help`.
#
# Each executable is one trust domain and one set of libraries: an object may
# only be pulled out of the archives below by a main that is meant to have it,
# and --as-needed drops every library that it does not use (t/ proves it).

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/ptp
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/ptp
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
RCDIR ?= $(DOCDIR)/rc.d
DESTDIR ?=
VERSION ?= 0.1.0

CC ?= cc
B ?= build
OPT ?= -O2
SAN ?=
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
    -Wconversion -Werror
HARD = -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fno-plt
CFLAGS ?= -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. -DPTP_VERSION='"$(VERSION)"' \
    -DPTP_LIBEXECDIR='"$(LIBEXECDIR)"' -DPTP_BINDIR='"$(BINDIR)"' $(OPT) $(WARN) $(HARD) $(SAN) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed \
    $(SAN) $(LDFLAGS)
LIBS = -lconfig -lseccomp -levent_core -lsodium -lcrypto

PROGRAMS = ptpd ptpctl \
    ptpd-worker \
    ptpd-relay \
    ptpd-fetch \
    ptpd-tls ptpd-sign ptpd-certs \
    ptpd-probe \
    ptp ptp-worker ptp-engine ptp-tls ptp-fetch
BINS = $(PROGRAMS:%=$B/%)
LIBEXEC = $(filter-out ptpd ptpctl ptp,$(PROGRAMS))

# Every .c of a side goes into its archive, but for the files that hold a main.
# (q, not r: two rooms may have a file of the same name.)
MAINS = master/ptpd.c master/ptpctl.c worker/worker.c worker/relay/main.c \
    worker/fetch/main.c \
    worker/probe/main.c \
    worker/convert/tls_main.c worker/sign/sign_main.c worker/sign/certs_main.c \
    client/ptp.c client/worker.c client/engine/main.c client/tls/main.c \
    client/fetch/main.c
SRC_common := $(wildcard common/*/*.c)
SRC_master := $(filter-out $(MAINS),$(wildcard master/*.c master/*/*.c))
SRC_worker := $(filter-out $(MAINS),$(wildcard worker/*.c worker/*/*.c))
SRC_client := $(filter-out $(MAINS),$(wildcard client/*.c client/*/*.c))
SIDES = common master worker client
obj = $(patsubst %.c,$B/%.o,$(1))
ARCHIVES = $(SIDES:%=$B/lib%.a)

UNIT := $(patsubst t/unit/%.c,$B/t/%,$(wildcard t/unit/check_*.c))
FUZZ := $(patsubst t/fuzz/%.c,%,$(wildcard t/fuzz/fuzz_*.c))

all: $(BINS)

$B/ptpd: $(call obj,master/ptpd.c) $B/libmaster.a $B/libcommon.a
$B/ptpctl: $(call obj,master/ptpctl.c) $B/libmaster.a $B/libcommon.a
$B/ptpd-worker: $(call obj,worker/worker.c) $B/libworker.a $B/libcommon.a
$B/ptpd-relay: $(call obj,worker/relay/main.c) $B/libworker.a $B/libcommon.a
$B/ptpd-fetch: $(call obj,worker/fetch/main.c) $B/libworker.a $B/libcommon.a
$B/ptpd-fetch: LIBS += -lcurl -ljansson
$B/ptpd-probe: $(call obj,worker/probe/main.c) $B/libcommon.a
$B/ptpd-tls: $(call obj,worker/convert/tls_main.c) $B/libworker.a $B/libcommon.a
$B/ptpd-tls: LIBS += -lssl
$B/ptpd-sign: $(call obj,worker/sign/sign_main.c) $B/libworker.a $B/libcommon.a
$B/ptpd-certs: $(call obj,worker/sign/certs_main.c) $B/libworker.a $B/libcommon.a
$B/ptp: $(call obj,client/ptp.c) $B/libclient.a $B/libcommon.a
$B/ptp-worker: $(call obj,client/worker.c) $B/libclient.a $B/libcommon.a
$B/ptp-engine: $(call obj,client/engine/main.c) $B/libclient.a $B/libcommon.a
$B/ptp-tls: $(call obj,client/tls/main.c) $B/libclient.a $B/libcommon.a
$B/ptp-tls: LIBS += -lssl
$B/ptp-fetch: $(call obj,client/fetch/main.c) $B/libclient.a $B/libcommon.a
$B/ptp-fetch: LIBS += -lcurl

$(BINS):
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

define archive
$B/lib$(1).a: $$(call obj,$$(SRC_$(1)))
	rm -f $$@ && ar qcs $$@ $$^
endef
$(foreach s,$(SIDES),$(eval $(call archive,$(s))))

$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests (Check). A test pulls from the archives only what it calls.
$B/t/%: t/unit/%.c $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(ALL_LDFLAGS) -Wl,--start-group \
	    $(ARCHIVES) -Wl,--end-group -lcurl -ljansson -lcheck -lsubunit -lm -lrt -lpthread \
	    $(LIBS)

$B/t/check_signer: LIBS += -lssl

# Check ends a test after 4 s if it asked for no more: a hang is one after ten
# times that, too, and a machine with other work may need it.
unit: $(UNIT)
	@for t in $(UNIT); do \
		echo "# $$t"; CK_TIMEOUT_MULTIPLIER=10 $$t || exit 1; done

# They wait more than they work: several at a time. Those that say how soon
# others are served come after them, alone.
PROVE_JOBS ?= 3
TIMED = t/32-limits.t t/34-hostile-worker.t
PROVE = PTP_BUILD=$(abspath $B) prove --failures --comments
check: all unit
	$(PROVE) -j$(PROVE_JOBS) $(filter-out $(TIMED),$(wildcard t/*.t))
	$(PROVE) $(TIMED)

bench: all
	PTP_BUILD=$(abspath $B) t/bench/run

# Everything again under AddressSanitizer and UBSan, in a tree of its own.
asan:
	$(MAKE) B=build-asan OPT=-O1 HARD= \
	    SAN='-fsanitize=address,undefined -fno-sanitize-recover=all' all unit

# Each fuzz target for FUZZ_SECONDS on its corpus (libFuzzer, clang).
FUZZ_SECONDS ?= 60
fuzz:
	$(MAKE) B=build-fuzz CC=clang OPT=-O1 HARD= \
	    SAN='-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all' \
	    FUZZ_SECONDS=$(FUZZ_SECONDS) fuzz-run

fuzz-run: $(FUZZ:%=$B/fuzz/%)
	t/fuzz/run $B $(FUZZ_SECONDS) $(FUZZ)

$B/fuzz/%: t/fuzz/%.c $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $< $(ALL_LDFLAGS) \
	    -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(LIBS) -lcurl -ljansson

format:
	clang-format-19 -i $$(git ls-files '*.c' '*.h')

lint: all
	t/lint/run $B

layers:
	t/lint/layers

# Programs, manual, units, examples; directories that the daemons need. What
# names another prefix in them is put right on the way. Configurations in /etc
# are the operator's: only examples are installed.
MANUAL = $(wildcard man/*.[1-9])
put = install -m 644
fit = sed -e 's,/usr/local/sbin,$(SBINDIR),g' -e 's,/usr/local/bin,$(BINDIR),g' \
    -e 's,/usr/local/libexec/ptp,$(LIBEXECDIR),g'

install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) \
	    $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR) $(DESTDIR)$(UNITDIR) \
	    $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(RCDIR) $(DESTDIR)/var/empty
	install -d -m 700 $(DESTDIR)/var/db/ptpd $(DESTDIR)/var/db/ptp
	install -m 755 $B/ptpd $B/ptpctl $(DESTDIR)$(SBINDIR)
	install -m 755 $B/ptp $(DESTDIR)$(BINDIR)
	install -m 755 $(LIBEXEC:%=$B/%) $(DESTDIR)$(LIBEXECDIR)
	for page in $(MANUAL); do \
		dir=$(DESTDIR)$(MANDIR)/man$${page##*.} && install -d $$dir && \
		$(fit) $$page >$$dir/$${page##*/} || exit 1; done
	for unit in ptpd ptp; do \
		$(fit) etc/$$unit.service >$(DESTDIR)$(UNITDIR)/$$unit.service && \
		$(fit) etc/$$unit.rc >$(DESTDIR)$(RCDIR)/$$unit && \
		chmod 755 $(DESTDIR)$(RCDIR)/$$unit || exit 1; done
	$(put) etc/sysusers.d/ptp.conf $(DESTDIR)$(SYSUSERSDIR)
	$(put) README.md INSTALL SECURITY.md LICENSE $(wildcard etc/*.conf) \
	    etc/ptpd.users \
	    $(DESTDIR)$(DOCDIR)

# What install put there; /etc, /var and the accounts stay.
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/ptpd $(DESTDIR)$(SBINDIR)/ptpctl \
	    $(DESTDIR)$(BINDIR)/ptp $(DESTDIR)$(UNITDIR)/ptpd.service \
	    $(DESTDIR)$(UNITDIR)/ptp.service $(DESTDIR)$(SYSUSERSDIR)/ptp.conf
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR)
	for page in $(MANUAL); do \
		rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done

clean:
	rm -rf build build-asan build-fuzz build-clang

help:
	@echo "make [all|check|unit|bench|asan|fuzz|lint|layers|format]"
	@echo "make install|uninstall [DESTDIR=] [PREFIX=$(PREFIX)]"
	@echo "make clean"

-include $(shell find $B -name '*.d' 2>/dev/null)

.PHONY: all unit check bench asan fuzz fuzz-run format lint layers install \
    uninstall clean help
.SECONDARY:
