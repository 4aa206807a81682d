# The two commands of a newcomer are `make demo` and `make test`. Both need Go and nothing else.

GO      ?= go
SECONDS_EACH ?= 10
PACKAGES = ./...

.PHONY: demo test race build bench fuzz lint generate clean

demo: build ## the whole main job on simulated modems and handsets
	./bin/dmgate demo $(ARGS)

test: ## every test; those that need an outside oracle skip where it is missing
	$(GO) test $(TESTFLAGS) $(PACKAGES)

race:
	$(GO) test -race $(TESTFLAGS) $(PACKAGES)

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/dmgate ./gateway

bench: ## the benchmarks beside the code
	$(GO) test -run '^$$' -bench . -benchmem $(PACKAGES)

fuzz: ## every fuzz target for SECONDS_EACH seconds
	@for target in $$($(GO) test -list '^Fuzz' ./fuzz ./modempool | grep '^Fuzz'); do \
		for package in ./fuzz ./modempool; do \
			if $(GO) test -list "^$$target$$" $$package | grep -q "^$$target$$"; then \
				echo "$$target"; \
				$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(SECONDS_EACH)s $$package || exit 1; \
			fi; \
		done; \
	done

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "not gofmt'ed"; exit 1; }
	$(GO) vet $(PACKAGES)
	$(GO) tool staticcheck $(PACKAGES)
	$(GO) mod tidy -diff
	CGO_ENABLED=0 $(GO) build ./...

generate: ## the records' encoding
	$(GO) generate ./...

clean:
	rm -rf bin
