import Constraints
import Glibc
import Layers
import Losses
import Model
import Optimizers
import Regularisers
import Testing

@Suite struct CatalogTests {
  static let families: [(folder: String, kinds: [String])] = [
    ("Layers", LayersCatalog.all.map { $0.kind }),
    ("Constraints", ConstraintsCatalog.all.map { $0.kind }),
    (
      "Losses",
      (LossesCatalog.all.map { $0.kind } + LossesCatalog.adversarial.map { $0.kind }).sorted()
    ),
    ("Regularisers", RegularisersCatalog.all.map { $0.kind }),
    ("Optimizers", OptimizersCatalog.all.map { $0.kind }),
  ]

  /// A file that declares a kind and is missing in its catalog would be dead code.
  @Test(arguments: families.indices)
  func everyFileThatDeclaresAKindIsCatalogued(_ family: Int) throws {
    let (folder, kinds) = Self.families[family]
    var declared: [String] = []
    for path in try swiftFiles(in: folder) {
      let marker = "public static let kind = \""
      for line in try lines(of: path) {
        let trimmed = line.drop { $0 == " " }
        guard trimmed.hasPrefix(marker) else { continue }
        declared.append(String(trimmed.dropFirst(marker.count).prefix { $0 != "\"" }))
      }
    }
    #expect(declared.sorted() == kinds.sorted())
    #expect(Set(kinds).count == kinds.count)
    #expect(kinds == kinds.sorted(), "the catalog is in alphabetical order")
  }

  @Test func bothListsOfLossesAreInAlphabeticalOrder() {
    for kinds in [LossesCatalog.all.map { $0.kind }, LossesCatalog.adversarial.map { $0.kind }] {
      #expect(kinds == kinds.sorted())
    }
  }

  private func swiftFiles(in folder: String) throws -> [String] {
    let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    let path = "\(root)/Sources/\(folder)"
    let directory = try #require(opendir(path), "\(path)")
    defer { closedir(directory) }
    var files: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".swift") { files.append("\(path)/\(name)") }
    }
    return files
  }

  private func lines(of path: String) throws -> [Substring] {
    let file = try #require(fopen(path, "r"), "\(path)")
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }
}
