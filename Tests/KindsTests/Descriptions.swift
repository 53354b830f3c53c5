import Constraints
import Datasets
import Diagnostics
import Layers
import Losses
import Model
import Optimizers
import Regularisers
import Rounding
import Tensors
import YAML

let catalogs = Catalogs(
  layers: LayersCatalog.all, constraints: ConstraintsCatalog.all, losses: LossesCatalog.all,
  adversarialLosses: LossesCatalog.adversarial, regularisers: RegularisersCatalog.all,
  optimizers: OptimizersCatalog.all, datasets: DatasetsCatalog.all,
  augmentations: AugmentationsCatalog.all)

/// A description around one example, and where in its text the example's mark is.
struct Trial: Sendable, CustomStringConvertible {
  let kind: String
  let text: String
  let mark: Range<Int>?
  let code: DiagnosticCode?
  var description: String { "\(kind): \(text.split(separator: "\n").last!)" }

  init(kind: String, _ example: Example, _ document: (String) -> String) {
    let text = Array(document(example.yaml).utf8)
    let (open, close) = (Array("«".utf8), Array("»".utf8))
    var bytes: [UInt8] = []
    var (start, end): (Int?, Int?)
    var index = 0
    while index < text.count {
      if text[index...].starts(with: open) {
        start = bytes.count
        index += open.count
      } else if text[index...].starts(with: close) {
        end = bytes.count
        index += close.count
      } else {
        bytes.append(text[index])
        index += 1
      }
    }
    self.kind = kind
    self.text = String(decoding: bytes, as: UTF8.self)
    mark = start.flatMap { start in end.map { start..<$0 } }
    code = example.code
  }

  func load() -> (experiment: Experiment?, diagnostics: [Diagnostic]) {
    loadExperiment(
      SourceFile(path: "example.yaml", text: text), catalogs: catalogs, directory: ".")
  }
}

/// The text of a description whose model has one layer.
func layerDocument(_ layer: String, input: Shape, settings: String = "") -> String {
  "lgc: 1\nname: example\nmodel:\n  input: \(input)\n\(settings)  layers:\n    - \(layer)"
}

private func sectionDocument(_ section: String) -> (String) -> String {
  {
    """
    lgc: 1
    name: example
    model: {input: [6], layers: [{dense: 3}]}
    \(section): \($0)
    """
  }
}

private func adversarialDocument(_ loss: String) -> String {
  """
  lgc: 1
  name: example
  models:
    generator: {input: {shape: [2]}, layers: [{dense: 3}]}
    critic: {input: [3], layers: [{dense: 1}]}
  loss: \(loss)
  """
}

private func regulariserDocument(_ regulariser: String) -> String {
  """
  lgc: 1
  name: example
  model: {input: [6], layers: [{dense: 3}]}
  regularize:
    - \(regulariser)
  """
}

private func constraintDocument(_ constraint: String) -> String {
  """
  lgc: 1
  name: example
  model: {input: [6], lipschitz: 1, layers: [{dense: 3}],
    constraint: \(constraint)}
  """
}

/// A dataset's example is `kind` or `kind: {…}`; in a description the kind stands under `type`.
private func dataDocument(_ data: String) -> String {
  guard let colon = data.firstRange(of: ": {") else {
    return sectionDocument("data")("{type: \(data)}")
  }
  let kind = data[..<colon.lowerBound]
  return sectionDocument("data")("{type: \(kind), \(data[colon.upperBound...])")
}

private func augmentationDocument(_ augmentation: String) -> String {
  """
  lgc: 1
  name: example
  model: {input: [1, 6, 6], layers: [flatten, {dense: 3}]}
  data:
    type: synthetic
    augment:
      - \(augmentation)
  """
}

let layerTrials: [Trial] = LayersCatalog.all.flatMap { type in
  type.examples.map { example in
    Trial(kind: type.kind, example) { layerDocument($0, input: example.input) }
  }
}

let trials: [Trial] =
  layerTrials
  + ConstraintsCatalog.all.flatMap { type in
    type.examples.map { Trial(kind: type.kind, $0, constraintDocument) }
  }
  + LossesCatalog.all.flatMap { type in
    type.examples.map { Trial(kind: type.kind, $0, sectionDocument("loss")) }
  }
  + LossesCatalog.adversarial.flatMap { type in
    type.examples.map { Trial(kind: type.kind, $0, adversarialDocument) }
  }
  + RegularisersCatalog.all.flatMap { type in
    type.examples.map { Trial(kind: type.kind, $0, regulariserDocument) }
  }
  + OptimizersCatalog.all.flatMap { type in
    type.examples.map { Trial(kind: type.kind, $0, sectionDocument("optimizer")) }
  }
  + DatasetsCatalog.all.flatMap { type in
    type.examples.map { Trial(kind: type.kind, $0, dataDocument) }
  }
  + AugmentationsCatalog.all.flatMap { type in
    type.examples.map { Trial(kind: type.kind, $0, augmentationDocument) }
  }

/// The only network of a description that must be right.
func network(_ text: String) throws -> Network {
  let file = SourceFile(path: "example.yaml", text: text)
  let (experiment, diagnostics) = loadExperiment(file, catalogs: catalogs, directory: ".")
  guard let network = experiment?.networks.first else { throw DiagnosticError(diagnostics) }
  return network
}

/// Arguments without a description; what is not given has its default.
func arguments(_ values: [String: any Sendable] = [:]) -> Arguments {
  Arguments(span: Span(file: SourceFile(path: "test", text: ""), start: 0, end: 0), values: values)
}
