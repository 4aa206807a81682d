# The two commands of a newcomer are `make demo` and `make test`. Both need Go and nothing else.

GO      ?= go
SECONDS_EACH ?= 10
PACKAGES = ./...

.PHONY: demo test race build bench benchmarks fuzz lint screenshots generate clean

demo: build ## the whole main job on simulated modems and handsets
	./bin/dmgate demo $(ARGS)

test: ## every test; those that need an outside oracle skip where it is missing
	$(GO) test $(TESTFLAGS) $(PACKAGES)

race:
	$(GO) test -race $(TESTFLAGS) $(PACKAGES)

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/dmgate ./gateway

bench: build ## the codec, next to encoding/xml and to a bare walk over the bytes; many sessions; banks of modems, in short
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/bench ./bench
	./bin/bench codec $(ARGS)
	./bin/bench load
	./bin/bench bootstrap --parts banks,faults,replug --modems 1,8,32 --length 5s

benchmarks: ## the benchmarks beside the code
	$(GO) test -run '^$$' -bench . -benchmem $(PACKAGES)

# go test sometimes takes the end of its own -fuzztime for a failure; a find always comes with its input written down.
fuzz: ## every fuzz target for SECONDS_EACH seconds
	@for package in ./fuzz ./modempool; do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "== $$package $$target"; \
			out=$$($(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(SECONDS_EACH)s -fuzzminimizetime 10x $$package 2>&1) \
				&& ok=yes || ok=no; \
			echo "$$out" | tail -n 20; \
			case "$$ok $$out" in \
			yes*) ;; \
			*"Failing input written"*) exit 1 ;; \
			*"context deadline exceeded"*) ;; \
			*) exit 1 ;; \
			esac; \
		done; \
	done

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "not gofmt'ed"; exit 1; }
	$(GO) vet $(PACKAGES)
	$(GO) tool staticcheck $(PACKAGES)
	$(GO) mod tidy -diff
	CGO_ENABLED=0 $(GO) build ./...

screenshots: ## pictures of the status page into bin/screenshots, and the README's; needs Chromium
	DMGATE_ORACLES=require DMGATE_SCREENSHOTS=$(CURDIR)/bin/screenshots $(GO) test -count=1 -run '^TestScreenshots$$' ./gateway
	cp bin/screenshots/light.png gateway/docs/page.png

generate: ## the records' encoding
	$(GO) generate ./...

clean:
	rm -rf bin
