import Diagnostics
import Formats
import Lipschitz
import Model
import Rounding
import Tensors

/// What is asked of an evaluation.
public struct EvaluationOptions {
  public var engine: any Engine
  /// nil: as many as the process may use.
  public var threads: Int?
  /// nil: those of the targets and declared bounds, else L2.
  public var norms: [Norm]?
  /// In units of the model's input; empty: those of the targets in the norm, else usual ones.
  public var radii: [Double]
  /// The first so many of the test split; nil: all.
  public var samples: Int?
  /// Of the attack; 0: none.
  public var attackSteps: Int

  public init(
    engine: any Engine, threads: Int? = nil, norms: [Norm]? = nil, radii: [Double] = [],
    samples: Int? = nil, attackSteps: Int = 20
  ) {
    self.engine = engine
    self.threads = threads
    self.norms = norms
    self.radii = radii
    self.samples = samples
    self.attackSteps = attackSteps
  }
}

/// Accuracy, certified accuracy and attacked accuracy of stored weights on the test split.
///
/// At every radius certified ≤ attacked ≤ clean accuracy: an attack that turns a certified sample
/// of the real-valued function is a fault of lgc, and thrown as one.
public struct Evaluation: Sendable {
  public let name: String
  public let samples: Int
  /// By float32 inference.
  public let accuracy: Double
  public let norms: [InNorm]
  public let attackSteps: Int

  public struct InNorm: Sendable {
    public let report: BoundReport
    public let certified: CertifiedRadii
    /// How much one unit of the data file moves the model's input at most.
    public let unitFactor: UpperBound
    public let rows: [Row]

    /// A radius of the model's input in units of the data file: no change of the file's numbers
    /// below it is longer than `radius` in the model's.
    public func rawRadius(_ radius: Double) -> Double {
      radius.isFinite ? (LowerBound(proved: radius) / unitFactor).value : radius
    }
  }

  public struct Row: Sendable {
    public let radius: Double
    public let certified: Double
    /// The share that the attack did not turn; nil without one.
    public let attacked: Double?
    /// How many certified samples the attack was tried on in vain.
    public let checked: Int
  }

  /// Certified samples that are attacked all the same, those with the least to spare.
  static let checkedSamples = 200

  /// - Parameters:
  ///   - directory: where the description's relative paths start.
  public init(
    _ experiment: Experiment, tensors: [String: NamedTensor], directory: String,
    _ options: EvaluationOptions
  ) throws(DiagnosticError) {
    let subject = try EvaluationSubject(experiment, directory: directory, count: options.samples)
    let stored = try NetworkWeights(subject.network, tensors: tensors)
    let norms = options.norms ?? experiment.claimedNorms(of: subject.network)
    let reports = try certifiedBound(stored, norms: norms)
    let values = tensors.mapValues(\.floats)
    let batch = min(TrainingSetup.evaluationBatch, subject.samples.count)
    let scores = try DeployedNetwork(
      subject.network, weights: values, engine: options.engine, threads: options.threads,
      batch: batch
    ).scores(of: subject.samples, subject.scaling)
    let x = subject.scaling.rows(of: subject.samples)
    let radii = try CertifiedRadii.proved(
      stored, reports: reports, x: x, labels: subject.samples.labels, isRight: scores.isRight)

    name = experiment.name
    samples = subject.samples.count
    accuracy = scores.accuracy
    attackSteps = options.attackSteps
    var results: [InNorm] = []
    for (report, certified) in zip(reports, radii) {
      let asked = options.radii.isEmpty
        ? experiment.radii(in: report.norm) : Array(Set(options.radii)).sorted()
      var trial: Trial?
      if options.attackSteps > 0 {
        trial = Trial(
          attack: try Attack(
            stored, values: values, norm: report.norm,
            plan: Attack.Plan(steps: options.attackSteps), engine: options.engine,
            threads: options.threads, batch: batch),
          x: x, labels: subject.samples.labels, isRight: scores.isRight)
      }
      var rows: [Row] = []
      for radius in asked {
        let outcome = try trial?.outcome(certified, radius)
        rows.append(
          Row(
            radius: radius, certified: certified.accuracy(radius), attacked: outcome?.share,
            checked: outcome?.checked ?? 0))
      }
      results.append(
        InNorm(
          report: report, certified: certified, unitFactor: subject.section.unitFactor,
          rows: rows))
    }
    self.norms = results
  }
}

/// The attack at one radius after the other, from the least on: what is turned within a radius is
/// turned within a larger one.
private struct Trial {
  let attack: Attack
  let x: [Float]
  let labels: [Int32]
  var isRight: [Bool]

  mutating func outcome(
    _ certified: CertifiedRadii, _ radius: Double
  ) throws(DiagnosticError) -> (share: Double, checked: Int) {
    let isSafe = certified.radii.map { $0 >= radius && $0 > 0 }
    let open = isRight.indices.filter { isRight[$0] && !isSafe[$0] }
    let safe = isRight.indices.filter { isSafe[$0] }
      .sorted { (certified.radii[$0], $0) < (certified.radii[$1], $1) }
      .prefix(Evaluation.checkedSamples)
    guard radius > 0 else { return (share, 0) }
    for finding in try attack.turned(open, of: x, labels: labels, radius: radius) {
      isRight[finding.sample] = false
    }
    let doubtful = try attack.turned(Array(safe), of: x, labels: labels, radius: radius)
    if let wrong = try attack.confirmed(doubtful, labels: labels).first {
      throw DiagnosticError(refuted(wrong, certified, radius))
    }
    return (share, safe.count)
  }

  private var share: Double { Double(isRight.count { $0 }) / Double(max(isRight.count, 1)) }
}

private func refuted(
  _ finding: Attack.Finding, _ certified: CertifiedRadii, _ radius: Double
) -> Diagnostic {
  Diagnostic(
    .internalFault,
    "test sample \(finding.sample) is certified at the \(certified.norm.rawValue) radius "
      + "\(certified.radii[finding.sample]), but a change below \(number(radius)) turns its class",
    at: nil, help: "the certificate is wrong; please report the description and the weights")
}

/// The network and the labelled test samples of a description.
struct EvaluationSubject {
  let network: Network
  let section: DataSection
  let samples: Samples
  let scaling: InputScaling

  init(
    _ experiment: Experiment, directory: String, count: Int?
  ) throws(DiagnosticError) {
    let place = Span(file: experiment.file, start: 0, end: 0)
    guard experiment.adversarial == nil, experiment.networks.count == 1 else {
      throw DiagnosticError(
        Diagnostic(
          .missingSection, "only a classifier can be evaluated, these are a generator and a critic",
          at: experiment.networks.first?.span, help: "`lgc bound` and `lgc sample` work on them"))
    }
    guard var section = experiment.data else {
      throw DiagnosticError(
        Diagnostic(
          .missingSection, "evaluation needs the section `data`", at: place,
          help: "add `data: {…}` to the description"))
    }
    let network = experiment.networks[0]
    var data = try section.dataset.load(
      section.arguments, directory: directory, seed: experiment.train?.seed ?? 0)
    if section.standardizesByData, section.standardize == nil {
      // As training measures them: without what it holds back.
      if let part = section.validation {
        _ = try data.holdBack(part, seed: experiment.train?.seed ?? 0)
      }
      section = try section.measured(on: data.train)
    }
    guard let test = data.test, test.count > 0 else {
      throw DiagnosticError(
        Diagnostic(
          .dataShape, "evaluation needs a test split, `\(section.kind)` has none here",
          at: section.span))
    }
    guard test.labelKind == .classes else {
      throw DiagnosticError(
        Diagnostic(
          .dataLabels, "only classes can be certified, the test samples have target vectors",
          at: section.span))
    }
    guard test.shape == network.inputShape else {
      throw DiagnosticError(shape(test.shape, network, section))
    }
    let outputs = network.outputShape.elementCount
    if let sample = test.labels.firstIndex(where: { $0 < 0 || Int($0) >= max(outputs, 2) }) {
      throw DiagnosticError(label(test.labels[sample], sample, "test", outputs, network, section))
    }
    self.network = network
    self.section = section
    samples = (count ?? .max) < test.count ? test.selecting(Array(0..<count!)) : test
    scaling = try InputScaling(section, samples: data.train)
  }
}

extension Experiment {
  /// The norms that the targets name, then those the layers declare; L2 if neither names one.
  public func claimedNorms(of network: Network) -> [Norm] {
    var norms: [Norm] = targets.compactMap { target in
      switch target.claim {
      case .lipschitz(_, let norm, _), .certifiedAccuracy(let norm, _, _): norm
      case .accuracy: nil
      }
    }
    norms += network.nodes.compactMap(\.declared?.norm)
    if norms.isEmpty { norms = [.l2] }
    return norms.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// Those that targets name, else usual ones.
  fileprivate func radii(in norm: Norm) -> [Double] {
    let named: [Double] = targets.compactMap { target in
      guard case .certifiedAccuracy(norm, let radius, _) = target.claim else { return nil }
      return radius
    }
    let usual: [Double] = switch norm {
    case .l1: [0.25, 0.5, 1, 2]
    case .l2: [0.1, 36.0 / 255, 0.25, 0.5]
    case .linf: [1, 2, 4, 8].map { $0 / 255 }
    }
    return Array(Set(named + usual)).sorted()
  }
}
