// swift-tools-version:6.0
import PackageDescription

/// Modules are listed bottom-up; a module may import only what stands above it here
/// (`make lint` builds with `--explicit-target-dependency-import-check error`).
let package = Package(
  name: "lgc",
  products: [.executable(name: "lgc", targets: ["lgc"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    // System libraries (Scripts/install-dependencies.sh installs them).
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // libpng and libjpeg behind functions that return instead of jumping.
    .target(name: "CPNG", linkerSettings: [.linkedLibrary("png")]),
    .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),

    // The C side of the CPU engine: tile kernels, the thread team, oneDNN (opened on first use).
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m"), .linkedLibrary("dl")]),

    // The float64 routines of OpenBLAS that proofs use; opened at run time, so it is not linked.
    .target(name: "COpenBLAS", linkerSettings: [.linkedLibrary("dl"), .linkedLibrary("m")]),

    .target(name: "Diagnostics"),
    .target(name: "Rounding"),
    .target(name: "YAML", dependencies: ["CYAML", "Diagnostics"]),
    .target(name: "Formats", dependencies: ["CZlib", "CPNG", "CJPEG"]),
    .target(name: "Tensors", dependencies: ["Diagnostics"]),
    // Optimised in debug builds too: tests train small networks on it.
    .target(
      name: "ReferenceEngine", dependencies: ["Tensors"],
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .target(name: "CPUEngine", dependencies: ["Tensors", "CKernels"]),

    .target(
      name: "Model",
      dependencies: [
        "Diagnostics", "Rounding", "YAML", "Tensors",
      ]),
    .target(name: "Layers", dependencies: ["Model", "Tensors", "Rounding"]),
    .target(name: "Constraints", dependencies: ["Model", "Tensors", "Rounding"]),
    .target(name: "Losses", dependencies: ["Model", "Tensors"]),
    .target(name: "Regularisers", dependencies: ["Constraints", "Model", "Tensors"]),
    .target(name: "Optimizers", dependencies: ["Model", "Tensors"]),
    .target(
      name: "Datasets",
      dependencies: ["Model", "Tensors", "Formats", "CKernels", "Diagnostics", "YAML"]),
    // Optimised in debug builds too: tests prove thousands of operators.
    .target(
      name: "Lipschitz",
      dependencies: ["COpenBLAS", "Diagnostics", "Rounding", "Model", "Tensors", "Formats"],
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    // Checks certificates; knows neither the prover nor the model.
    .target(
      name: "Verification", dependencies: ["COpenBLAS", "Formats", "Rounding"]),
    .target(
      name: "Training",
      dependencies: [
        "Diagnostics", "Rounding", "Formats", "Tensors", "Model", "Lipschitz", "YAML",
        "ReferenceEngine",
      ]),
    .executableTarget(
      name: "lgc",
      dependencies: [
        "Diagnostics", "Rounding", "YAML", "Formats", "Tensors", "ReferenceEngine", "CPUEngine",
        "Model", "Layers", "Constraints", "Losses", "Regularisers", "Optimizers", "Datasets",
        "Lipschitz", "Training", "Verification",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .testTarget(name: "DiagnosticsTests", dependencies: ["Diagnostics"]),
    .testTarget(name: "YAMLTests", dependencies: ["YAML", "Diagnostics"]),
    .testTarget(name: "FormatsTests", dependencies: ["Formats"]),
    // Random programs, for the tests of passes and of engines.
    .target(
      name: "TensorsTestSupport", dependencies: ["Tensors", "ReferenceEngine"],
      path: "Tests/TensorsTestSupport",
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .testTarget(
      name: "TensorsTests", dependencies: ["Tensors", "ReferenceEngine", "TensorsTestSupport"]),
    // An allocator that counts, for the tests that a step calls none.
    .target(name: "AllocationCount", path: "Tests/AllocationCount"),
    .testTarget(
      name: "CPUEngineTests",
      dependencies: [
        "CPUEngine", "CKernels", "Tensors", "ReferenceEngine", "TensorsTestSupport",
        "AllocationCount",
      ]),
    // Exact integer arithmetic: the oracle of the soundness tests. In C, so that it is fast
    // enough in a debug build.
    .target(name: "ExactDefiniteness", path: "Tests/ExactDefiniteness"),
    .testTarget(
      name: "LipschitzTests",
      dependencies: [
        "Lipschitz", "Rounding", "Formats", "Model", "Layers", "Constraints", "Losses",
        "Optimizers", "Datasets", "Diagnostics", "Tensors", "ReferenceEngine", "YAML",
        "ExactDefiniteness", "Verification",
      ]),
    // What must be true of any description, for the fuzzer and for the tests of what it found.
    .target(
      name: "FrontEndTestSupport",
      dependencies: [
        "Model", "Layers", "Constraints", "Losses", "Regularisers", "Optimizers", "Datasets",
        "Diagnostics", "Lipschitz", "Formats",
      ],
      path: "Tests/FrontEndTestSupport"),
    .testTarget(
      name: "ModelTests",
      dependencies: [
        "Model", "Layers", "Constraints", "Losses", "Regularisers", "Optimizers", "Datasets",
        "Diagnostics", "YAML", "Tensors", "ReferenceEngine", "Lipschitz", "Rounding",
      ]),
    .testTarget(
      name: "KindsTests",
      dependencies: [
        "Model", "Layers", "Constraints", "Losses", "Regularisers", "Optimizers", "Datasets",
        "Tensors", "TensorsTestSupport", "ReferenceEngine", "Diagnostics", "Rounding",
        "CPUEngine", "YAML",
      ]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Datasets", "Formats", "Model", "Layers", "Constraints", "Losses",
        "Regularisers", "Optimizers", "ReferenceEngine", "CPUEngine", "Lipschitz", "Diagnostics", "Rounding",
        "Tensors", "Verification",
      ]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "lgc", "Diagnostics", "Model", "Lipschitz", "Training", "Formats", "Verification",
        "FrontEndTestSupport", "YAML",
      ]),
  ],
  swiftLanguageModes: [.v6]
)

// It links only with `-sanitize=fuzzer`, so `make fuzz` alone asks for it.
if Context.environment["LGC_FUZZING"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzzing", dependencies: ["FrontEndTestSupport"], path: "Tests/Fuzzing",
      // gold crashes on libFuzzer's archive.
      linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
}
