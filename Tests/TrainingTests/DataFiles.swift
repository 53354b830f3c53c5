import Diagnostics
import Formats
import Foundation
import Model
import Testing

@testable import Datasets

/// A folder with files for one test, and the loading of data sections that name them.
struct DataFiles {
  let folder = Folder()

  func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    let path = "\(folder.path)/\(name)"
    let parent = String(path[..<path.lastIndex(of: "/")!])
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    try AtomicFile.write(bytes, to: path)
  }

  /// What a data section loads; relative paths start in the folder.
  func load(_ data: String) throws -> LoadedData {
    let text = "lgc: 1\nname: x\ndata: \(data)\nmodel: {input: [2], layers: [dense: 2]}\n"
    let section = try #require(try experiment(text).data)
    return try section.dataset.load(section.arguments, directory: folder.path, seed: 0)
  }
}

extension Samples {
  var floats: [Float]? {
    if case .floats(let floats) = storage { floats } else { nil }
  }
  var bytes: [UInt8]? {
    if case .bytes(let bytes) = storage { bytes } else { nil }
  }
}

/// `a.csv:3:5: message`, or the message alone where the place is in the description.
func place(_ diagnostic: Diagnostic) -> String {
  guard let span = diagnostic.span, span.file.path != "test.yaml" else {
    return diagnostic.message
  }
  let (line, column) = span.file.position(at: span.start)
  let name = span.file.path.split(separator: "/").last ?? ""
  return "\(name):\(line):\(column): \(diagnostic.message)"
}
