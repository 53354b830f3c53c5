import Diagnostics
import Model
import Rounding
import Tensors

// Small kinds of the tests' own, so that resolution is tested apart from the catalogs.

struct TestDense: Layer {
  static let kind = "dense"
  static let summary = "y = W·x"
  static let units = Argument<Int>("units", "Outputs.", in: .atLeastOne)
  static let bias = Argument<Bool>("bias", "Whether a bias is added.", default: true)
  static let arguments: [any ArgumentDeclaration] = [units, bias]
  static let shorthand: String? = "units"
  let units: Int
  let bias: Bool
  init(_ arguments: Arguments) {
    units = arguments[Self.units]
    bias = arguments[Self.bias]
  }
  func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    guard inputs[0].count == 1 else {
      throw ShapeProblem("takes a flat input, not \(inputs[0].shapeText)", help: "flatten it")
    }
    return [units]
  }
  func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    let weight = WeightDeclaration(
      "weight", [units, inputs[0][0]], .constant(0), isConstrained: true)
    return bias ? [weight, WeightDeclaration("bias", [units], .constant(0))] : [weight]
  }
  func operation(_ inputs: [Shape]) -> LayerOperation {
    .linear(.dense(weight: "weight", outputs: units, inputs: inputs[0][0]))
  }
  func lower(_ inputs: [Value], _ context: LoweringContext) -> Value { inputs[0] }
}

/// An element-wise test layer with slopes of at most `slope`.
struct TestSlope: Layer {
  static let kind = "swell"
  static let summary = "y = slope·x"
  static let slope = Argument<Double>("slope", "The factor.", default: 2, in: .positive)
  static let arguments: [any ArgumentDeclaration] = [slope]
  let slope: Double
  init(_ arguments: Arguments) throws(ArgumentProblem) {
    slope = arguments[Self.slope]
    if slope == 13 {
      throw ArgumentProblem("13 is refused", argument: "slope", help: "use 12")
    }
  }
  func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape { inputs[0] }
  func operation(_ inputs: [Shape]) -> LayerOperation { .elementwise(SlopeRange(0, slope)) }
  func lower(_ inputs: [Value], _ context: LoweringContext) -> Value { inputs[0] }
}

struct TestReLU: Layer {
  static let kind = "relu"
  static let summary = "y = max(x, 0)"
  init(_ arguments: Arguments) {}
  func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape { inputs[0] }
  func operation(_ inputs: [Shape]) -> LayerOperation { .elementwise(SlopeRange(0, 1)) }
  func lower(_ inputs: [Value], _ context: LoweringContext) -> Value { inputs[0] }
}

struct TestFlatten: Layer {
  static let kind = "flatten"
  static let summary = "one axis"
  init(_ arguments: Arguments) {}
  func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape { [inputs[0].elementCount] }
  func operation(_ inputs: [Shape]) -> LayerOperation { .known(.one) }
  func lower(_ inputs: [Value], _ context: LoweringContext) -> Value { inputs[0] }
}

/// Not Lipschitz.
struct TestJump: Layer {
  static let kind = "jump"
  static let summary = "a step"
  init(_ arguments: Arguments) {}
  func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape { inputs[0] }
  func operation(_ inputs: [Shape]) -> LayerOperation { .unbounded("it is discontinuous") }
  func lower(_ inputs: [Value], _ context: LoweringContext) -> Value { inputs[0] }
}

struct TestSpectral: Constraint {
  static let kind = "spectral"
  static let summary = "holds l2"
  static let iterations = Argument<Int>("iterations", "Steps.", default: 1, in: .atLeastOne)
  static let arguments: [any ArgumentDeclaration] = [iterations]
  let iterations: Int
  init(_ arguments: Arguments) { iterations = arguments[Self.iterations] }
  func refusal(_ linear: LinearOperator, norm: Norm) -> String? {
    norm == .l2 ? nil : "`spectral` holds l2, not \(norm.rawValue)"
  }
  var isCertifiedAfterTraining: Bool { true }
  func state(_ weight: Shape, of linear: LinearOperator, norm: Norm) -> [WeightDeclaration] { [] }
  func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { weight }
}

/// Holds any norm, and proves nothing.
struct TestWeak: Constraint {
  static let kind = "weak"
  static let summary = "not certified"
  init(_ arguments: Arguments) {}
  func refusal(_ linear: LinearOperator, norm: Norm) -> String? { nil }
  var isCertifiedAfterTraining: Bool { false }
  func state(_ weight: Shape, of linear: LinearOperator, norm: Norm) -> [WeightDeclaration] { [] }
  func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { weight }
}

/// Certified in any norm.
struct TestBall: Constraint {
  static let kind = "ball"
  static let summary = "certified in every norm"
  init(_ arguments: Arguments) {}
  func refusal(_ linear: LinearOperator, norm: Norm) -> String? { nil }
  var isCertifiedAfterTraining: Bool { true }
  func state(_ weight: Shape, of linear: LinearOperator, norm: Norm) -> [WeightDeclaration] { [] }
  func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { weight }
}

struct TestLoss: SupervisedLoss {
  static let kind = "cross_entropy"
  static let summary = "classes"
  static let temperature = Argument<Double>("temperature", "τ.", default: 1, in: .positive)
  static let arguments: [any ArgumentDeclaration] = [temperature]
  init(_ arguments: Arguments) {}
  var labels: Set<LabelKind> { [.classes] }
  func refusal(output: Shape, labels: LabelKind) -> String? {
    output.count == 1 ? nil : "the loss takes logits, not \(output.shapeText)"
  }
  func lower(output: Value, labels: Value, _ g: GraphBuilder) -> Value { output }
}

struct TestAdam: Optimizer {
  static let kind = "adam"
  static let summary = "adam"
  static let lr = Argument<Double>("lr", "Learning rate.", default: 1e-3, in: .positive)
  static let arguments: [any ArgumentDeclaration] = [lr]
  let learningRate: Double
  init(_ arguments: Arguments) { learningRate = arguments[Self.lr] }
  func lower(
    _ parameters: [OptimizedParameter], learningRate: Value, _ g: GraphBuilder
  ) -> OptimizerUpdates { OptimizerUpdates() }
}

struct TestData: Dataset {
  static let kind = "synthetic"
  static let summary = "made up"
  static let shape = Argument<String>("shape", "Which.", default: "two_moons")
  static let arguments: [any ArgumentDeclaration] = [shape]
  init(_ arguments: Arguments) {}
  func load(
    _ arguments: Arguments, directory: String, seed: UInt64
  ) throws(DiagnosticError) -> LoadedData {
    LoadedData(
      train: Samples(shape: [1], count: 0, storage: .floats([]), labels: [], classCount: 0))
  }
}

let testCatalogs = Catalogs(
  layers: [
    TestDense.self, TestReLU.self, TestSlope.self, TestFlatten.self, TestJump.self,
  ],
  constraints: [TestSpectral.self, TestWeak.self, TestBall.self], losses: [TestLoss.self],
  optimizers: [TestAdam.self], datasets: [TestData.self])

// MARK: loading

func load(
  _ text: String, _ overrides: [String] = []
) -> (experiment: Experiment?, diagnostics: [Diagnostic]) {
  loadExperiment(
    SourceFile(path: "test.yaml", text: text), catalogs: testCatalogs, directory: ".",
    overrides: overrides.map { Override(argument: $0)! })
}

/// A description around a list of layers in flow style: `dense: 3, relu`.
func description(_ layers: String, input: String = "[8]", model: String = "") -> String {
  "lgc: 1\nname: t\nmodel: {input: \(input), \(model)layers: [\(layers)]}\n"
}

/// `L0102 «units»` for each diagnostic: its code and the characters it is about.
func found(_ diagnostics: [Diagnostic]) -> [String] {
  diagnostics.map { "\($0.code.id) «\($0.span?.text ?? "")»" }
}

func errors(_ text: String, _ overrides: [String] = []) -> [String] {
  found(load(text, overrides).diagnostics.filter { $0.severity == .error })
}

func network(_ text: String) throws -> Network {
  struct Refused: Error { var found: [String] }
  let (experiment, diagnostics) = load(text)
  guard let experiment else { throw Refused(found: found(diagnostics)) }
  return experiment.networks[0]
}
