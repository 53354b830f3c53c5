import Constraints
import Datasets
import Diagnostics
import Formats
import Layers
import Losses
import Model
import Optimizers
import Testing

/// The network of a description whose model is `model` (YAML flow or block, indented by two).
func network(_ model: String) throws -> Network {
  let text = "lgc: 1\nname: test\nmodel:\n" + model + "\n"
  let catalogs = Catalogs(
    layers: LayersCatalog.all, constraints: ConstraintsCatalog.all, losses: LossesCatalog.all,
    adversarialLosses: LossesCatalog.adversarial,
    optimizers: OptimizersCatalog.all, datasets: DatasetsCatalog.all,
    augmentations: AugmentationsCatalog.all)
  let (experiment, diagnostics) = loadExperiment(
    SourceFile(path: "test.yaml", text: text), catalogs: catalogs, directory: ".")
  for diagnostic in diagnostics where diagnostic.severity == .error {
    Issue.record("\(diagnostic.message) in\n\(text)")
  }
  return try #require(experiment).networks[0]
}

/// Tensors for every weight of a network, entries from `entry`.
func tensors(
  _ network: Network, _ entry: (_ name: String, _ index: Int) -> Float
) -> [String: NamedTensor] {
  var result: [String: NamedTensor] = [:]
  for node in network.nodes {
    for declaration in node.weights {
      let name = node.tensorName(declaration.name)
      let values = (0..<declaration.shape.reduce(1, *)).map { entry(name, $0) }
      result[name] = NamedTensor(
        name: name, shape: declaration.shape, values: .float32(values))
    }
  }
  return result
}
