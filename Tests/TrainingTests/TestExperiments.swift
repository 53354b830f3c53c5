import Constraints
import Datasets
import Diagnostics
import Foundation
import Layers
import Losses
import Model
import Optimizers
import Regularisers
import Testing

@testable import Training

let catalogs = Catalogs(
  layers: LayersCatalog.all, constraints: ConstraintsCatalog.all, losses: LossesCatalog.all,
  adversarialLosses: LossesCatalog.adversarial, regularisers: RegularisersCatalog.all,
  optimizers: OptimizersCatalog.all, datasets: DatasetsCatalog.all,
  augmentations: AugmentationsCatalog.all)

/// The experiment of a description that must be sound.
func experiment(
  _ text: String, overrides: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
) throws -> Experiment {
  let (experiment, diagnostics) = loadExperiment(
    SourceFile(path: "test.yaml", text: text), catalogs: catalogs, directory: ".",
    overrides: overrides.map { Override(argument: $0)! })
  let errors = diagnostics.filter { $0.severity == .error }
  #expect(errors.isEmpty, "\(errors.map(\.message))", sourceLocation: sourceLocation)
  return try #require(experiment, sourceLocation: sourceLocation)
}

/// Two moons with a 1-Lipschitz network: a second of training.
let moons = """
  lgc: 1
  name: moons
  data: {type: synthetic, name: two_moons, samples: 1000, test_samples: 500, noise: 0.1}
  model:
    input: [2]
    lipschitz: {norm: l2, bound: 1.0}
    constraint: {type: spectral, iterations: 1}
    layers:
      - dense: {name: fc1, units: 32, activation: group_sort}
      - dense: {name: fc2, units: 32, activation: group_sort}
      - dense: {name: logits, units: 2}
  loss: {family: cross_entropy, temperature: 0.05}
  optimizer: {type: adam, lr: 1e-2, schedule: cosine}
  train: {epochs: 30, batch: 50, seed: 3}
  targets:
    - lipschitz: {norm: l2, bound: 1.0}
    - accuracy: {at_least: 0.95}
  """

/// A fresh folder, removed with everything in it when the last reference goes.
final class Folder {
  let path: String
  init() {
    var template = Array("/tmp/lgc-training-XXXXXX".utf8CString)
    path = String(cString: mkdtemp(&template)!)
  }
  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  static func names(_ path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }
  var names: [String] { Self.names(path) }
}

/// The first diagnostic that `body` throws.
func diagnostic(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) throws -> Diagnostic {
  let error = #expect(throws: DiagnosticError.self, sourceLocation: sourceLocation) { try body() }
  return try #require(error?.diagnostics.first, sourceLocation: sourceLocation)
}
