import Constraints
import Datasets
import Diagnostics
import Glibc
import Layers
import Lipschitz
import Losses
import Model
import Optimizers
import Regularisers
import Testing

/// The repository's own descriptions, with the real catalogs.
@Suite struct ModelFilesTests {
  private static let folder =
    #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/models"

  private static func read(_ path: String) throws -> String {
    let file = try #require(fopen(path, "r"), "\(path) cannot be opened")
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  static let names: [String] = {
    guard let folder = opendir(folder) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".yaml") { names.append(name) }
    }
    return names.sorted()
  }()

  private static let catalogs = Catalogs(
    layers: LayersCatalog.all, constraints: ConstraintsCatalog.all, losses: LossesCatalog.all,
    adversarialLosses: LossesCatalog.adversarial, regularisers: RegularisersCatalog.all,
    optimizers: OptimizersCatalog.all, datasets: DatasetsCatalog.all,
    augmentations: AugmentationsCatalog.all)

  private static func load(_ name: String, _ text: String) -> (Experiment?, [Diagnostic]) {
    let (experiment, diagnostics) = loadExperiment(
      SourceFile(path: name, text: text), catalogs: catalogs, directory: folder)
    return (experiment, diagnostics)
  }

  @Test func theyAreFound() {
    let shipped: Set = [
      "cnn.yaml", "csv_regression.yaml", "frobenius_mlp.yaml", "gradient_penalty_classifier.yaml",
      "hinge_kr.yaml",
      "l2_regularised.yaml", "quickstart.yaml", "residual_mlp.yaml", "spectral_cnn.yaml",
      "spectral_regularised.yaml", "two_moons.yaml",
    ]
    #expect(shipped.isSubset(of: Self.names))
  }

  @Test(arguments: names)
  func theirLipschitzTargetsAreProvedFromTheDeclaration(_ name: String) throws {
    let text = try Self.read("\(Self.folder)/\(name)")
    let (experiment, diagnostics) = Self.load(name, text)
    #expect(found(diagnostics) == [])
    let analysis = analyse(try #require(experiment))
    #expect(found(analysis.diagnostics.filter { $0.severity != .note }) == [])
    let claims = analysis.targets.filter { $0.text.hasPrefix("lipschitz") }
    #expect(!claims.isEmpty)
    // A network that nothing holds has only its number to report.
    let isHeld = experiment?.networks.contains { $0.nodes.contains(where: \.isHeld) } == true
    #expect(claims.allSatisfy { $0.verdict == (isHeld ? .proved : .reported) })
  }

  @Test(arguments: names)
  func theirResolvedTextReadsBackUnchanged(_ name: String) throws {
    let (first, _) = Self.load(name, try Self.read("\(Self.folder)/\(name)"))
    let text = try #require(first).resolvedText
    let (second, diagnostics) = Self.load("resolved.yaml", text)
    #expect(found(diagnostics) == [])
    #expect(second?.resolvedText == text)
  }

  private static let cautious = """
    lgc: 1
    name: cautious
    model:
      input: [1, 9, 9]
      layers:
        - conv: {name: c, filters: 2, kernel: 3, padding: 1BOUND}
        - batch_norm
        - max_pool: {kernel: 3, stride: 2}
        - average_pool: 2
    """

  @Test func whatExpandsUnnoticedIsWarnedOfWhereABoundIsDeclared() throws {
    func warnings(_ bound: String) throws -> [String] {
      let (experiment, diagnostics) = Self.load(
        "x.yaml", Self.cautious.replacing("BOUND", with: bound))
      #expect(found(diagnostics) == [])
      return found(analyse(try #require(experiment)).diagnostics)
    }
    #expect(try warnings("") == [])
    #expect(
      try warnings(", lipschitz: 1, constraint: spectral")
        == ["L0311 «batch_norm»", "L0312 «max_pool»"])
    #expect(
      try warnings(", lipschitz: 1, constraint: {type: spectral, of: kernel}")
        == ["L0313 «conv»", "L0311 «batch_norm»", "L0312 «max_pool»"])
  }

  @Test func fixedMapsHaveTheirConstantsBeforeThereAreWeights() throws {
    let (experiment, _) = Self.load("x.yaml", Self.cautious.replacing("BOUND", with: ""))
    let layers = analyse(try #require(experiment)).networks[0].layers
    let bounds = layers[3].bounds.mapValues(\.value)
    #expect(bounds == [.l1: 0.25, .l2: 0.5, .linf: 1])
    #expect(layers[2].bounds[.l2]?.value == 2)
  }
}
