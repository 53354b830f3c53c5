# make demo   install what is missing, build, check and train the quickstart, print its certified bound
# make test   all tests
# make bench  step time and bounds against PyTorch and JAX (makes Benchmarks/.venv on first use)
# make generated  write the schema and the reference of the language again
# make story  regularisers and a constraint on one classifier: accuracy, bound, certificates, attacks
# make soundness  declared constants against 100 000 pairs of points a layer, in three norms
# make fuzz   mutated descriptions through the front end for 60 s; SECONDS=600 for longer
# make lint   build with import checking; fails on a module that imports one above it
LGC := .build/release/lgc

.PHONY: demo run-demo generated fuzz soundness test build bench bench-quick accuracy story lint clean dependencies

dependencies:
	@Scripts/install-dependencies.sh

build: dependencies
	@swift build -c release --product lgc

demo: build
	@$(MAKE) --no-print-directory run-demo

run-demo:
	$(LGC) check models/quickstart.yaml
	$(LGC) train models/quickstart.yaml
	$(LGC) bound

test: dependencies
	swift build -c release --product lgc
	LGC=$(CURDIR)/$(LGC) swift test -Xcc -O2

soundness: dependencies
	LGC_PAIRS=100000 swift test -Xcc -O2 \
	  --filter 'LipschitzTests/noPairOfPointsExceedsTheDeclaredConstant' \
	  --filter 'BoundedInputTests/noPair'

# Coverage-guided, with libFuzzer of the Swift toolchain. What it finds is written to
# Tests/Fixtures/fuzz, where `make test` looks at it again.
SECONDS ?= 60
FUZZ := .build-fuzz
fuzz: dependencies
	LGC_FUZZING=1 swift build -c release --product Fuzzing --scratch-path $(FUZZ) \
	  -Xswiftc -sanitize=fuzzer
	$(FUZZ)/release/Fuzzing prepare $(FUZZ)/start
	@mkdir -p $(FUZZ)/corpus Tests/Fixtures/fuzz
	SWIFT_BACKTRACE=enable=no $(FUZZ)/release/Fuzzing $(FUZZ)/corpus \
	  $(FUZZ)/start/seeds Tests/Fixtures/malformed Tests/Fixtures/fuzz models models/gan \
	  -dict=$(FUZZ)/start/tokens -max_total_time=$(SECONDS) -max_len=16384 -timeout=20 \
	  -rss_limit_mb=512 -print_final_stats=1 \
	  -artifact_prefix=Tests/Fixtures/fuzz/

generated: build
	$(LGC) schema > models/lgc.schema.json
	$(LGC) schema --format markdown > Documentation/language.md

bench: build
	@Scripts/install-dependencies.sh --bench
	@Benchmarks/setup.sh
	Benchmarks/.venv/bin/python Benchmarks/step_time.py --lgc $(LGC)
	Benchmarks/.venv/bin/python Benchmarks/constraint_overhead.py --lgc $(LGC)
	Benchmarks/.venv/bin/python Benchmarks/bound_dense.py --lgc $(LGC)
	Benchmarks/.venv/bin/python Benchmarks/bound_dense.py --lgc $(LGC) --repeat 1 --size 4096x25088
	Benchmarks/.venv/bin/python Benchmarks/bound_networks.py --lgc $(LGC)
	Benchmarks/.venv/bin/python Benchmarks/bound_joint.py --lgc $(LGC)

bench-quick: build
	@Scripts/install-dependencies.sh --bench
	@Benchmarks/setup.sh
	Benchmarks/.venv/bin/python Benchmarks/step_time.py --lgc $(LGC) --quick

accuracy: build
	@Scripts/install-dependencies.sh --bench
	@Benchmarks/setup.sh
	Benchmarks/.venv/bin/python Benchmarks/accuracy.py --lgc $(LGC)

story: build
	python3 Benchmarks/regularisation_story.py --lgc $(LGC)

# What generators reach: the tables of Documentation/generative.md.
generative: build
	@Scripts/install-dependencies.sh --bench
	@Benchmarks/setup.sh
	Benchmarks/.venv/bin/python Benchmarks/eight_gaussians.py --lgc $(LGC)
	Benchmarks/.venv/bin/python Benchmarks/fashion_gan.py --lgc $(LGC)
	Benchmarks/.venv/bin/python Benchmarks/spectral_or_penalty.py --lgc $(LGC)

lint: dependencies
	swift build --explicit-target-dependency-import-check error

clean:
	rm -rf .build
