# The tools of this project, then the machine's own; commands of the system administrator are not on everyone's path.
export MACHINE_PATH := $(PATH):/usr/sbin:/sbin
export PATH := $(CURDIR)/.tools/node_modules/.bin:$(CURDIR)/node_modules/.bin:$(MACHINE_PATH)
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Tests that need no network of their own.
WITHOUT_LAB := '{net,crds,kube,daemon,operator,speaker,deploy}/**/*.test.ts' '*.test.ts'
# Tests of the lab and of the API server that it has for itself.
WITH_LAB := 'e2e/!(announcing|faults|foreign-stations|health|hostile|restarts|witness).test.ts' 'e2e/{apiserver,bench,faults,kubelet,lab,laws}/**/*.test.ts'
# Those of them that show the product on whatever cluster they are given.
ON_ANY_CLUSTER := e2e/{failover,ipv6,links,foreign-stations,chaos}.test.ts
# Those that have a length: what must be played for long to be worth something.
WITH_LENGTH := e2e/{announcing,faults,foreign-stations,health,hostile,restarts,witness}.test.ts
# One file: make test FILE=net/address.test.ts; one of the lab on another API server, or at full length:
# make test FILE=e2e/failover.test.ts API=kubernetes, make test FILE=e2e/faults.test.ts LENGTH=full
FILE ?=
# How many power cuts are made, and whether the lab stays afterwards: make lab CUTS=100 KEEP=1
CUTS ?=
KEEP ?=
# How long faults last: full, or short, which is some seconds each; full is what holds in make faults
LENGTH ?=
# What serves the API in the lab: make lab API=kubernetes
API ?= embedded
# How many Services are created at once, one size after the other: make bench-kubernetes SIZES=100,1000
SIZES ?=
# How often each variant is measured: make bench-answering ROUNDS=5
ROUNDS ?=
# How often a Service goes and another one comes: make bench-allocate STEPS=100000
STEPS ?=
# For how many addresses, and how long each variant: make bench-witnessing ADDRESSES=10000 EACH_SECONDS=60
ADDRESSES ?=
EACH_SECONDS ?=
# How many random schedules the allocation is judged by, and from which seed: make soak-allocate RUNS=10000 SEED=7
RUNS ?=
SEED ?=
NODE ?=
SCHEDULES ?= 100000
# How many hostile frames, and which: make hostile FRAMES=1000000 SEED=7
FRAMES ?= 1000000
FROM ?= 1
# The programs read these themselves: they know what is allowed, and what holds where nothing is said.
export API CUTS KEEP SIZES ROUNDS STEPS ADDRESSES EACH_SECONDS RUNS SEED

# A mistyped variable would be passed over without a word.
VARIABLES := ADDRESSES API CUTS EACH_SECONDS FILE FRAMES FROM KEEP LENGTH NODE ROUNDS RUNS SCHEDULES SEED SIZES STEPS
UNKNOWN := $(filter-out $(VARIABLES) E2E_REQUIRE LAB_% KUBEBUILDER_ASSETS PATH SHELL, \
  $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))
ifneq ($(strip $(UNKNOWN)),)
$(error $(firstword $(UNKNOWN)) is no variable of this Makefile; there are $(VARIABLES))
endif

.PHONY: help
help:
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ See it work
.PHONY: lab cut power clean-lab
lab: setup $(if $(filter kubernetes,$(API)),kubernetes) ## The main job, as root; KEEP=1 stays with a live view, CUTS=n, API=kubernetes
	@node e2e/lab/main.ts

cut: ready ## In a lab that stays: cut a node's power (NODE=node-1)
	@node e2e/lab/ask.ts cut $(NODE)

power: ready ## In a lab that stays: give it back (NODE=node-1)
	@node e2e/lab/ask.ts power $(NODE)

clean-lab: ready ## End every lab on this machine and remove its hosts
	@node e2e/lab/clean.ts

##@ Every day
.PHONY: setup ready test soak hostile e2e bench-kubernetes bench-allocate bench-answering bench-witnessing soak-allocate bundle check fix generate types lint format-check
setup: ## Bring what is needed and missing: Node, the npm packages, the tools of the lab
	@.ci/setup node packages tools

ready:
	@.ci/setup node packages

test: setup $(if $(filter e2e/kubernetes/%,$(FILE))$(and $(FILE),$(filter kubernetes,$(API))),kubernetes) ## Every check and test, the lab's too; FILE=path/of.test.ts runs one file alone
ifeq ($(FILE),)
	@$(MAKE) types lint format-check
	node --test $(WITHOUT_LAB)
	node --test --test-concurrency=1 $(WITH_LAB)
	@echo 'make test: types, lint, format and all tests passed; what this machine cannot run counts as skipped above'
else
	LAB_API=$(API) LAB_LENGTH=$(LENGTH) node --test --test-concurrency=1 $(FILE)
endif

soak: ready ## Play SCHEDULES=100000 fault schedules on the speaker's core, from FROM=1 on; the first that breaks an invariant is explained
	@node speaker/testing/soak.ts --schedules $(SCHEDULES) --from $(FROM)

hostile: ready ## FRAMES=1000000 hostile frames against one node in memory: nothing may change; says what each sort costs; SEED=7
	HOSTILE_FRAMES=$(FRAMES) HOSTILE_SEED='$(SEED)' node --test speaker/hostile.test.ts

soak-allocate: ready ## Random edits and mishaps against the operator until one breaks a law of allocation; RUNS=10000, SEED=7
	@node e2e/laws/main.ts

e2e: setup kubernetes ## What must hold on real Kubernetes: needs Go, and some minutes to build it the first time
	E2E_REQUIRE=1 node --test --test-concurrency=1 'e2e/kubernetes/**/*.test.ts'
	E2E_REQUIRE=1 LAB_API=kubernetes node --test --test-concurrency=1 $(ON_ANY_CLUSTER)

faults: setup $(if $(filter kubernetes,$(API)),kubernetes) ## All sorts of faults under a client's eyes, for as long as they are meant to last; LENGTH=short, API=kubernetes
	LAB_API=$(API) LAB_LENGTH=$(or $(LENGTH),full) node --test --test-concurrency=1 $(WITH_LENGTH)

bench-kubernetes: setup kubernetes bundle ## How fast Services are assigned and announced there; SIZES=100,1000
	@node e2e/bench/main.ts

bench-answering: setup ## How fast questions are answered, in the kernel and through a packet socket; ROUNDS=3
	@node e2e/bench/answering/main.ts

bench-witnessing: setup ## What it costs that speakers ask for each other's addresses; ADDRESSES=1000
	@node e2e/bench/witnessing/main.ts

.PHONY: kubernetes
kubernetes:
	@e2e/kubernetes/build

bench-allocate: ready ## How fast the allocator is by itself: fill a /16, a million releases, 1,000 pools; ROUNDS=5 STEPS=100000
	@node e2e/bench/allocator/main.ts

.PHONY: bench-announce keepalived
bench-announce: setup keepalived bundle ## How long nobody answers, and how fast somebody does, beside keepalived and Linux itself; CUTS=30
	@node e2e/bench/announce/main.ts

keepalived:
	@.ci/setup keepalived

bundle: ready ## What the image holds, into dist/
	@node deploy/bundle.ts

check: ready ## What needs no root and no lab: types, lint, format, unit tests
	@$(MAKE) types lint format-check
	node --test $(WITHOUT_LAB)

types: ready
	tsc

lint: ready
	oxlint --quiet

format-check: ready
	oxfmt --check

fix: ready ## Format everything, and mend what the linter can mend
	oxfmt
	oxlint --fix

generate: ready ## Write crds/*.yaml from the schemas
	node crds/generate.ts

##@ Tidy up
.PHONY: clean
clean: ## Remove what set-up brought: node_modules and .tools
	rm -rf node_modules .tools dist e2e/{lab,bench,bench/announce}/report.json
