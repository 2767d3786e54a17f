# Sallyport. `make demo` shows it, `make test` is everything that a change must pass; both install what they need.

PREFIX  ?= /usr/local
DESTDIR ?=
PAMDIR  ?= $(PREFIX)/lib/security
DOCDIR  ?= $(PREFIX)/share/doc/sallyport
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
# systemd looks here whatever PREFIX is.
SYSTEMDLIB ?= /usr/local/lib
UNITDIR    ?= $(SYSTEMDLIB)/systemd/system
bindir   = $(DESTDIR)$(PREFIX)/bin
sbindir  = $(DESTDIR)$(PREFIX)/sbin
pamdir   = $(DESTDIR)$(PAMDIR)
unitdir  = $(DESTDIR)$(UNITDIR)
tmpfiles = $(DESTDIR)$(SYSTEMDLIB)/tmpfiles.d/sallyport.conf
catalog  = $(DESTDIR)$(SYSTEMDLIB)/systemd/catalog/sallyport.catalog
docdir   = $(DESTDIR)$(DOCDIR)
mandir   = $(DESTDIR)$(PREFIX)/share/man
bashdir  = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zshdir   = $(DESTDIR)$(ZSHDIR)
fishdir  = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
# The programs look for these two at fixed places.
vendordir = $(DESTDIR)/usr/lib/sallyport
confdir   = $(DESTDIR)/etc/sallyport

# Debian packages: to build, and for the demo.
PACKAGES = gcc libc6-dev libpam0g-dev make \
	openssh-server openssh-client openssl sudo login passwd util-linux systemd iproute2 procps \
	oathtool zbar-tools librsvg2-bin
# To make packages.
DEB_PACKAGES = debhelper dh-apparmor po-debconf
RPM_PACKAGES = rpm selinux-policy-dev
# To test with the real programs and on whole systems, and to lint.
TEST_PACKAGES = $(DEB_PACKAGES) $(RPM_PACKAGES) pamtester strace libpam-google-authenticator libpam-oath pskctool python3-pskc age valgrind shellcheck clang libclang-rt-dev \
	mmdebstrap systemd-container qemu-system-x86 qemu-utils cpio e2fsprogs \
	lintian devscripts apparmor man-db groff \
	dbus-daemon libedit2 libgnutls30 libnettle8 libseccomp2 \
	php-cli python3 nodejs socat jq nginx curl \
	chromium fonts-dejavu-core

# The page for Cockpit is made with npm, whose Node.js need not be Debian's.
NPM_PACKAGES = $(if $(shell command -v npm),,nodejs npm)

GO         ?= go
GOTESTSUM   = $(GO) run gotest.tools/gotestsum@v1.13.0
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME   ?= 20s
# Programs that are loaded anywhere, with nothing of their tables left to write to.
HARDENED    = -buildmode=pie -ldflags '-linkmode=external -extldflags=-Wl,-z,relro,-z,now'

.PHONY: help deps build demo test system-test panel-test crash lint fuzz prove bench cockpit install uninstall deb rpm clean
.DEFAULT_GOAL := help

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# missing installs those of some Debian packages that are not there.
define missing
@missing=$$(for p in $(1); do \
	dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
if [ -n "$$missing" ]; then \
	apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
fi
endef

deps: ## install the Debian packages that building and the demo need (as root)
	$(call missing,$(PACKAGES))

test-deps: deps build/chrony.deb test/panel/node_modules ## ... and those that the tests need
	$(call missing,$(TEST_PACKAGES))

# A test runs chrony's programs. Installed, they would take the place of what keeps this machine's clock.
build/chrony.deb:
	@mkdir -p build
	cd build && { apt-get download -qq chrony || { apt-get update -qq && apt-get download -qq chrony; }; } 2>/dev/null
	mv build/chrony_*.deb $@

# What drives Chromium in the tests of the panel. Node.js and npm are the machine's.
test/panel/node_modules: test/panel/package-lock.json
	npm ci --silent --no-audit --no-fund --prefix test/panel
	@touch $@

# The module's build ID would be made of the linker script's path, too: it has none.
build: ## build/pam_sallyport.so, build/sallyportd, build/sallyportctl
	@mkdir -p build
	$(GO) build -trimpath $(HARDENED) -o build/sallyportd ./cmd/sallyportd
	$(GO) build -trimpath $(HARDENED) -o build/sallyportctl ./cmd/sallyportctl
	$(GO) build -trimpath -buildmode=c-shared \
		-ldflags "-buildid= -extldflags=-Wl,-T,$(CURDIR)/cgo/pam_sallyport/dormant.ld" \
		-o build/pam_sallyport.so ./cgo/pam_sallyport
	@rm -f build/pam_sallyport.h
	@printf 'pam_sallyport.so: %s relocations when it is loaded\n' "$$(readelf -Wr build/pam_sallyport.so | grep -c R_X86_64)"

PAGE = packaging/cockpit
PAGE_MODULES = $(PAGE)/node_modules/.package-lock.json
$(PAGE_MODULES): $(PAGE)/package-lock.json
	$(call missing,$(NPM_PACKAGES))
	cd $(PAGE) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

cockpit: $(PAGE_MODULES) ## the page for Cockpit, packaging/cockpit/dist
	cd $(PAGE) && npm run --silent build

demo: deps build ## a real SSH login with a code, on a private host; INTERACTIVE=1 keeps it up for your phone
	$(GO) run ./test/demo

# Packages whose tests take minutes, on machines under QEMU or in a browser.
SLOW = sallyport/test/machine sallyport/test/crash sallyport/test/panel/page

test: test-deps lint build deb ## everything that a change must pass
	cd $(PAGE) && npm test --silent
	FUZZTIME=$(FUZZTIME) test/fuzz.sh
	$(GOTESTSUM) --format pkgname-and-test-fails --format-hide-empty-pkg -- -race -count=1 -timeout 30m \
		$$($(GO) list ./... | grep -vxF $(SLOW:%=-e %))

system-test: test-deps build deb ## all tests on whole systems, in containers and under QEMU
	$(GO) test -v -count=1 -timeout 60m ./test/system ./test/machine

panel-test: test-deps build deb ## all tests of Cockpit, in Chromium; pictures in test/out/panel
	$(GO) test -v -count=1 -timeout 60m ./test/panel/...

CUTS ?= $(if $(CI),3,20)
crash: test-deps build deb ## power cuts of a machine under QEMU while people log in (CUTS=20), and at every flush
	SALLYPORT_CUTS=$(CUTS) $(GO) test -v -count=1 -timeout 120m ./test/crash

lint: $(PAGE_MODULES) ## gofmt, vet, staticcheck, govulncheck, shellcheck; tsc and eslint
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'not gofmt clean'; exit 1; }
	$(GO) vet ./...
	$(STATICCHECK) ./...
	$(GO) mod verify >/dev/null
	test/govulncheck.sh $(GOVULNCHECK)
	git ls-files '*.sh' .ci/run | xargs shellcheck
	cd $(PAGE) && npm run --silent lint

gosec: ## gosec, which is built for minutes
	test/gosec.sh

fuzz: ## each fuzz target for ten minutes (FUZZTIME=10m)
	FUZZTIME=$(or $(filter-out 20s,$(FUZZTIME)),10m) test/fuzz.sh

PROVE = SALLYPORT_PROVE=1 $(GO) test -v -count=1 -timeout 4h
# What make prove does: add to it by another line.
PROOFS += races
PROOFS += faults
PROOFS += attack
PROOFS += clock
PROOFS += fuzz gosec
PROOFS += simulate guessing soak

.PHONY: $(PROOFS)
prove: $(PROOFS) ## the long forms of all attacks, for hours; their tables go into docs/security.md

races: test-deps build ## ... one code, 64 ways at one instant, 5,000 times
	$(PROVE) ./test/race

faults: test-deps build ## ... disk, memory, user database and daemon fail while people log in
	$(PROVE) ./test/faults

attack: test-deps build ## ... a user of the host floods, fills, plants, guesses
	$(PROVE) ./test/attack

STEPS ?= 10000000
clock: test-deps build ## ... the clock of a machine under QEMU jumps while people log in
	$(PROVE) -run 'TestClock$$' ./test/machine

simulate: ## ... the verifier in a simulated world: STEPS=10000000, of new seeds; SEED=n runs one
	$(GO) test -count=1 -timeout 0 -run 'TestSimulate$$' ./test/simulate -args $(if $(SEED),-seed $(SEED)) -steps $(STEPS)

guessing: ## ... a password thief guesses codes, for 1,000 simulated years from each number of addresses
	$(PROVE) -run 'TestGuessing$$' ./test/simulate

soak: ## ... half a simulated year of 2,000 people's logins, after which nothing has grown
	$(PROVE) ./test/soak

bench: test-deps build ## measure beside google-authenticator and pam_oath; BENCHFLAGS=-quick shows that it works
	$(GO) run ./test/bench -plots test/out/bench $(BENCHFLAGS)

build/sallyportd build/sallyportctl build/pam_sallyport.so:
	$(MAKE) build

install: build/sallyportd build/sallyportctl build/pam_sallyport.so ## what was built, into PREFIX (/usr/local), DESTDIR in front
	install -D -m 0755 build/sallyportctl $(bindir)/sallyportctl
	install -D -m 0755 build/sallyportd $(sbindir)/sallyportd
	install -D -m 0644 build/pam_sallyport.so $(pamdir)/pam_sallyport.so
	install -D -m 0644 etc/vendor.toml $(vendordir)/sallyport.toml
	test -e $(confdir)/sallyport.toml || install -D -m 0644 etc/sallyport.toml $(confdir)/sallyport.toml
	install -d $(unitdir) $(docdir) $(bashdir) $(zshdir) $(fishdir)
	for unit in sallyportd.service sallyportd.socket; do \
		sed 's|@prefix@|$(PREFIX)|' systemd/$$unit >$(unitdir)/$$unit || exit 1; \
	done
	install -D -m 0644 systemd/sallyport.tmpfiles $(tmpfiles)
	install -D -m 0644 systemd/sallyport.catalog $(catalog)
	install -m 0644 README.md docs/*.md $(docdir)
	install -D -m 0644 -t $(docdir)/examples systemd/sallyport-network.conf systemd/sallyport-chrony.conf \
		docs/examples/verify.php docs/examples/gate.nginx.conf docs/examples/gate.service
	install -m 0755 -t $(docdir)/examples docs/examples/*.sh docs/examples/*.py docs/examples/*.js
	install -D -m 0644 packaging/man/sallyport.toml.5 $(mandir)/man5/sallyport.toml.5
	install -D -m 0644 -t $(mandir)/man8 packaging/man/*.8
	build/sallyportctl man >$(mandir)/man8/sallyportctl.8
	build/sallyportctl completion bash >$(bashdir)/sallyportctl
	build/sallyportctl completion zsh >$(zshdir)/_sallyportctl
	build/sallyportctl completion fish >$(fishdir)/sallyportctl.fish
	test -n '$(DESTDIR)' || journalctl --update-catalog

uninstall: ## all that install put there but the policy and the enrolments
	rm -f $(bindir)/sallyportctl $(sbindir)/sallyportd $(pamdir)/pam_sallyport.so $(vendordir)/sallyport.toml
	rm -f $(unitdir)/sallyportd.service $(unitdir)/sallyportd.socket $(tmpfiles) $(catalog)
	rm -f $(mandir)/man5/sallyport.toml.5 $(addprefix $(mandir)/man8/,sallyportd.8 sallyportctl.8 pam_sallyport.8)
	rm -f $(bashdir)/sallyportctl $(zshdir)/_sallyportctl $(fishdir)/sallyportctl.fish
	rm -rf $(docdir)
	-rmdir $(vendordir)

DEBDIR ?= build/deb
# From a copy of what git has, or would take, and the page.
deb: deps cockpit ## the Debian packages, build/deb/*.deb
	$(call missing,$(DEB_PACKAGES))
	rm -rf $(DEBDIR) && mkdir -p $(DEBDIR)/sallyport
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t $(DEBDIR)/sallyport
	cp -r packaging/debian $(DEBDIR)/sallyport/debian
	cp -r $(PAGE)/dist $(DEBDIR)/sallyport/$(PAGE)/dist
	cd $(DEBDIR)/sallyport && GOCACHE=$$($(GO) env GOCACHE) GOMODCACHE=$$($(GO) env GOMODCACHE) \
		dpkg-buildpackage --build=binary --unsigned-changes --unsigned-buildinfo >../build.log 2>&1 || { cat ../build.log; exit 1; }
	rm -rf $(DEBDIR)/sallyport
	@ls -l $(DEBDIR)/*.deb

# rpmbuild would look for what it needs in RPM's database, which is empty on Debian.
RPMDIR ?= build/rpm
rpm: deps ## the RPM packages, build/rpm/RPMS/*/*.rpm
	$(call missing,$(RPM_PACKAGES))
	rm -rf $(RPMDIR) && mkdir -p $(RPMDIR)/SOURCES
	version=$$(sed -n 's/^Version: *//p' packaging/rpm/sallyport.spec) && \
	git ls-files -z --cached --others --exclude-standard | tar -c --null -T - --sort=name --owner=0 --group=0 \
		--transform "s,^,sallyport-$$version/," -f $(RPMDIR)/SOURCES/sallyport-$$version.tar
	rpmbuild -ba --nodeps --define "_topdir $(abspath $(RPMDIR))" packaging/rpm/sallyport.spec >$(RPMDIR)/build.log 2>&1 || \
		{ cat $(RPMDIR)/build.log; exit 1; }
	rm -rf $(RPMDIR)/BUILD $(RPMDIR)/BUILDROOT
	@ls -l $(RPMDIR)/RPMS/*/*.rpm

clean: ## what was built
	rm -rf build dist test/out $(PAGE)/dist $(PAGE)/node_modules
