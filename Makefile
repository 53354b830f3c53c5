# make demo   install what is missing, build, check and train the quickstart, print its certified bound
# make test   all tests
# make bench  step time and bounds against PyTorch and JAX (makes Benchmarks/.venv on first use)
# make generated  write the schema and the reference of the language again
# make story  regularisers and a constraint on one classifier: accuracy, bound, certificates, attacks
# make lint   build with import checking; fails on a module that imports one above it
LGC := .build/release/lgc

.PHONY: demo run-demo generated test build bench bench-quick accuracy story lint clean dependencies

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
