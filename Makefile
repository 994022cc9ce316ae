# Short names for what is done often. The recipes are plain commands: make itself is not
# needed (.ci/test runs all tests).
.PHONY: build test unit acceptance bench sweep lint

build: # the command, in bin/
	go build -trimpath -o bin/ ./cmd/...

test: # everything; installs what it needs
	sh .ci/test

unit: # what needs no lab host
	go test $$(go list ./... | grep -v '^provision/acceptance$$')

acceptance: # the command on real hosts: make acceptance RUN=TestModel
	go test -v -timeout 25m -run '$(RUN)' ./acceptance

bench: # what a run costs, as a table
	go run ./acceptance/bench

sweep: # a crash at every write to the host, and the run after it
	PROVISION_SWEEP=all go test -v -timeout 3h -run TestSweep ./acceptance

lint:
	test -z "$$(gofmt -l .)"
	go vet ./...
	if command -v shellcheck >/dev/null; then shellcheck -s sh .ci/prepare .ci/test && shellcheck .ci/run; fi
