# Short names for what is done often. The recipes are plain commands: make itself is not
# needed (.ci/test runs all tests).
.PHONY: build test unit acceptance bench bench-fleet bench-peers bench-gimel bench-tasks prove sweep lint release publish site recordings

build: # the command, in bin/
	go build -trimpath -o bin/ ./cmd/...

release: # what users get, in dist/: packages, archives, bills of materials, digests
	packaging/release dist

publish: # the same for others: of a version, and signed with SIGNING_KEY=FILE, or refused
	packaging/publish dist

site: # the documentation, in dist/site, as static HTML with search; needs mkdocs and mkdocs-material of Debian 12
	packaging/site/build dist/site

recordings: # docs/images/*.svg, of terminals in which provision works on a lab host; needs python3-pyte
	packaging/recordings/make

test: # everything; installs what it needs
	sh .ci/test

unit: # what needs no lab host
	go test -short $$(go list ./... | grep -v '/acceptance$$')

acceptance: # the command on real hosts: make acceptance RUN=TestModel
	go test -v -timeout 25m -run '$(RUN)' ./acceptance

bench: # what a run costs, as a table
	go run ./acceptance/bench

bench-fleet: # what thousands of hosts cost here, which are simulated, beside bare handshakes
	go run ./acceptance/bench -of fleet -runs 1

bench-peers: # beside Ansible, with and without mitogen, and Fabric, on 1 and 10 lab hosts of Debian 13; needs the network
	go run ./acceptance/bench -of peers -runs 3
	go run ./acceptance/bench -of peers -runs 3 -targets 10

bench-gimel: # events a second, beside a handler that does nothing; needs nginx and redis-server
	go run ./internal/gimel/bench
	go run ./internal/gimel/bench --crashes

bench-tasks: # what builds of own tasks cost, and a check of a hundred hosts
	go test -run - -bench . ./internal/project ./internal/run ./cmd/provision

prove: # every task and planted fault, every example, the shelf from bare, on both releases: two hours; a line of each, as it ends, in bin/prove.log
	mkdir -p bin; failed=0; for test in TestProof TestExamples TestTheShelfFromBare TestFleet TestWindowBehindABalancer; do \
	PROVISION_PROVE=all PROVISION_RELEASES=all PROVISION_PROVE_LOG=$(CURDIR)/bin/prove.log \
	go test -count=1 -v -timeout 4h -parallel 2 -run "$$test\$$" ./acceptance || failed=1; done; exit $$failed

sweep: # a crash at every write to the host, and the run after it: about two hours
	PROVISION_SWEEP=all go test -v -timeout 3h -run TestSweep ./acceptance

lint: # what can be found without running anything
	sh .ci/lint
