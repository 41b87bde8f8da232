# Breakwater. `make run` and `make test` need Go, Node and make, nothing else.
SHELL := /bin/bash
BIN   := bin/breakwater
DATA  ?= data
LISTEN ?= 127.0.0.1:8480
# The race detector needs a C compiler; without one the same tests run without it, and it is said.
RACE := $(shell command -v $$(go env CC) >/dev/null 2>&1 && echo -race)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help build run test lint generate bench clean

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

build: ## bin/breakwater
	@CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/breakwater

run: build ## start on loopback; on an empty data directory with two demo images, scanned
	@$(BIN) demo --data $(DATA) --listen $(LISTEN)

lint: ## gofmt, vet, staticcheck
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "gofmt would change:"; echo "$$files"; exit 1; fi
	@go vet ./...
	@go tool staticcheck ./...

test: lint ## everything that needs no server: lint, import table, race tests
	@if [ -z "$(RACE)" ]; then echo "no C compiler: testing without the race detector"; fi
	@go test $(RACE) -timeout 20m ./...

generate: ## the OpenAPI documents, from a checkout of the contract facts (CONTRACT=dir)
	@go run ./api/gen -contract $(CONTRACT) -out api

bench: ## benchmarks of the rooms
	@go test -run '^$$' -bench . -benchtime 2s ./internal/...

clean: ## what make made
	@rm -rf bin
