import Diagnostics
import Formats
import Lipschitz
import Model
import Tensors

/// A classifier of a finished run as a measure of images: the features that its last layer with
/// weights reads, and the class that it gives.
public final class FeatureClassifier {
  /// Of the run: its name, its folder, and the SHA-256 of its weights, without which a distance in
  /// its features means nothing.
  public let name: String
  public let path: String
  public let hash: String
  /// The layer that reads the features.
  public let layer: String
  public let featureCount: Int
  public let classCount: Int
  public let inputShape: Shape
  /// The section of its data: samples must come in the same units.
  let data: DataSection
  private let executable: any Executable
  private let forward: BatchedProgram
  private static let batch = 250

  /// - Parameter experiment: of the run's `resolved.yaml`.
  public init(
    _ experiment: Experiment, run: RunDirectory, engine: any Engine, threads: Int?
  ) throws(DiagnosticError) {
    guard experiment.networks.count == 1, experiment.loss?.loss.labels.contains(.classes) == true,
      let data = experiment.data,
      let last = experiment.networks[0].nodes.last(where: { !$0.weights.isEmpty })
    else { throw DiagnosticError(noClassifier(run)) }
    let network = experiment.networks[0]
    let tensors = try DiagnosticError.translating { try SafeTensors.read(run.weights) }
    let bytes = try DiagnosticError.translating { try InputFile.bytes(run.weights) }
    let named = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    _ = try NetworkWeights(network, tensors: named)

    let g = GraphBuilder()
    let x = g.input("x", [Self.batch] + network.inputShape)
    let value = Lowering.forwardValue(network: network, x: x, mode: .deployed, g)
    let features =
      switch last.inputs[0] {
      case .input: x
      case .node(let index): value.nodes[index]
      }
    let size = g.shape(features).dropFirst().reduce(1, *)
    let program = Program(
      name: "features", graph: g.graph,
      outputs: [
        .init("features", g.reshape(features, to: [Self.batch, size])),
        .init("scores", value.output),
      ], updates: []
    ).optimized()
    executable = try DiagnosticError.translating {
      let executable = try engine.compile([program], options: EngineOptions(threads: threads))
      for name in executable.states.keys {
        if let tensor = named[name] { try executable.writeState(name, tensor.floats) }
      }
      return executable
    }
    forward = BatchedProgram(program, of: executable, batch: Self.batch)
    name = experiment.name
    path = run.path
    hash = SHA256.hexadecimal(bytes)
    layer = last.name
    featureCount = size
    classCount = network.outputShape.elementCount
    inputShape = network.inputShape
    self.data = data
  }

  /// The features of samples that stand one after the other, and the class that each gets.
  public func measure(
    _ samples: [Float]
  ) throws(DiagnosticError) -> (features: [Float], classes: [Int]) {
    let size = inputShape.elementCount
    let count = samples.count / size
    var features: [Float] = []
    features.reserveCapacity(count * featureCount)
    var classes: [Int] = []
    classes.reserveCapacity(count)
    try DiagnosticError.translating {
      for start in stride(from: 0, to: count, by: Self.batch) {
        let end = min(start + Self.batch, count)
        try forward.write("x", Array(samples[start * size..<end * size]))
        try forward.run(count: end - start)
        features += forward["features"]
        for row in 0..<end - start {
          let scores = forward["scores", row]
          classes.append(scores.indices.max { scores[$0] < scores[$1] } ?? 0)
        }
      }
    }
    return (features, classes)
  }

  /// Why samples of this data section cannot be measured; nil if they can.
  func refusal(shape: Shape, _ section: DataSection) -> Diagnostic? {
    var problem: String?
    if shape != inputShape {
      problem = "samples are \(shape.shapeText), the classifier reads \(inputShape.shapeText)"
    } else if section.range != data.range
      || section.standardize?.mean != data.standardize?.mean
      || section.standardize?.deviation != data.standardize?.deviation
    {
      problem = "the classifier was trained on data in other units"
    }
    return problem.map {
      Diagnostic(
        .dataShape, $0, at: section.span,
        help: "train a classifier with the same `range` and `standardize`")
    }
  }
}

private func noClassifier(_ run: RunDirectory) -> Diagnostic {
  Diagnostic(
    .missingSection, "`\(run.path)` is no run of a classifier", at: nil,
    help: "features are those of one network that was trained on classes")
}
