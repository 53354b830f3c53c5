import Constraints
import Datasets
import Diagnostics
import Glibc
import Layers
import Losses
import Model
import Optimizers
import Regularisers
import Testing
import YAML

/// What people get wrong, at every place of every description in models/, and of two that have the
/// keys of all sections and blocks: a misspelled word, a value of another type, an input of another
/// shape. Each is refused on its own line, with the word that was meant where one is near.
@Suite struct MutatedModelsTests {
  private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

  /// `Tests/Fixtures/accepted` has the keys that no model needs.
  private static let folders = [root + "/models", root + "/Tests/Fixtures/accepted"]

  private static let catalogs = Catalogs(
    layers: LayersCatalog.all, constraints: ConstraintsCatalog.all, losses: LossesCatalog.all,
    adversarialLosses: LossesCatalog.adversarial, regularisers: RegularisersCatalog.all,
    optimizers: OptimizersCatalog.all, datasets: DatasetsCatalog.all,
    augmentations: AugmentationsCatalog.all)

  private static func paths(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var found: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix(".") { continue }
      if name.hasSuffix(".yaml") {
        found.append("\(folder)/\(name)")
      } else if !name.contains(".") {
        found += paths(in: "\(folder)/\(name)")
      }
    }
    return found.sorted()
  }

  /// A replacement of some bytes, and the word that was meant where they are misspelled.
  private struct Mutation {
    let start: Int
    let end: Int
    let text: String
    let meant: String?
    var isShape = false
  }

  private static func text(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
      bytes += buffer[..<count]
    }
    return bytes
  }

  /// Every word of the description, misspelled three ways; every value, of another type; and every
  /// input, of a shape that cannot be.
  private static func mutations(_ root: Node) -> [Mutation] {
    var result: [Mutation] = []
    func misspell(_ word: String, _ span: Span) {
      let letters = Array(word)
      guard letters.count >= 3, span.text == word else { return }
      let middle = letters.count / 2
      var doubled = letters
      doubled.insert(letters[middle], at: middle)
      var swapped = letters
      swapped.swapAt(middle - 1, middle)
      for wrong in [Array(letters.dropLast()), doubled, swapped] where wrong != letters {
        result.append(
          Mutation(start: span.start, end: span.end, text: String(wrong), meant: word))
      }
    }
    func visit(_ node: Node, key: String) {
      if node.alias != nil { return }
      switch node.content {
      case .mapping(let entries):
        for entry in entries where !entry.key.hasPrefix("x-") {
          misspell(entry.key, entry.keySpan)
          if entry.key != "vars" { visit(entry.value, key: entry.key) }
        }
      case .sequence(let items): for item in items { visit(item, key: key) }
      case .scalar(let scalar):
        if scalar.isNull { return }
        let wrong = node.double == nil ? "{not: [so]}" : "{word: 1}"
        result.append(
          Mutation(start: node.span.start, end: node.span.end, text: wrong, meant: nil))
        if node.double != nil {
          result.append(
            Mutation(start: node.span.start, end: node.span.end, text: "word", meant: nil))
        }
      }
    }
    visit(root, key: "")
    let models = root["models"]
    let inputs = [
      root["model"]?["input"], models?["critic"]?["input"], models?["generator"]?["input"]?["shape"],
    ]
    for input in inputs.compactMap(\.self) where input.alias == nil {
      for shape in ["[3, 5, 7, 9]", "[0]", "[-2, 4]", "[]", "[1000000000, 1000000000, 1000000000]"] {
        result.append(
          Mutation(
            start: input.span.start, end: input.span.end, text: shape, meant: nil, isShape: true))
      }
    }
    return result
  }

  @Test func everyMistakeInEveryModelIsRefusedOnItsLine() throws {
    var (words, types, shapes) = (0, 0, 0)
    var suggested = 0
    var models: Set<String> = []
    for path in Self.folders.flatMap({ Self.paths(in: $0) }) {
      let original = try Self.text(path)
      let (root, _) = parse(SourceFile(path: path, bytes: original))
      let tree = try #require(root)
      // What it says belongs to its parent too.
      if tree.entry("extends") != nil { continue }
      let folder = String(path[..<path.lastIndex(of: "/")!])
      let whole = loadExperiment(
        SourceFile(path: path, bytes: original), catalogs: Self.catalogs, directory: folder)
      #expect(whole.experiment != nil, "\(path): \(whole.diagnostics.map(\.message))")
      for mutation in Self.mutations(tree) {
        let bytes = original[..<mutation.start] + Array(mutation.text.utf8)
          + original[mutation.end...]
        let file = SourceFile(path: path, bytes: Array(bytes))
        let (experiment, diagnostics) = loadExperiment(
          file, catalogs: Self.catalogs, directory: folder)
        models.insert(path)
        if mutation.isShape { shapes += 1 } else if mutation.meant == nil { types += 1 } else { words += 1 }
        let line = file.position(at: mutation.start).line
        let shown = String(decoding: file.line(line), as: UTF8.self)
        let name = path.split(separator: "/").last!
        guard experiment == nil else {
          Issue.record("accepted: `\(mutation.text)` in \(name):\(line): \(shown)")
          continue
        }
        let errors = diagnostics.filter { $0.severity == .error }
        let there = errors.filter { error in
          error.span.map { file.position(at: $0.start).line == line } ?? false
        }
        #expect(!there.isEmpty, "\(name):\(line): \(shown): \(errors.map(\.message))")
        guard let word = mutation.meant else { continue }
        if there.contains(where: { $0.help?.contains("`\(word)`") == true }) { suggested += 1 }
      }
    }
    print(
      "\(models.count) models: \(words) misspelled words, \(suggested) of them with the word that "
        + "was meant; \(types) values of a wrong type; \(shapes) wrong shapes")
    #expect(words + types + shapes >= 2000)
    #expect(words >= 1000 && types >= 500 && shapes >= 3 * models.count)
    #expect(models.contains { $0.contains("/gan/") })
    // A word of three or four letters may be as near to another one.
    #expect(Double(suggested) >= 0.95 * Double(words), "\(suggested) of \(words)")
  }
}
