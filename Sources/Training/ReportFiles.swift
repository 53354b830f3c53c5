import Formats
import Glibc

/// What a run directory says of its run. Every part may be missing: a run that was killed has a
/// report too.
struct ReportFiles {
  let path: String
  /// `run.json`.
  let record: JSON
  /// The lines of `metrics.jsonl`; a line cut off by a crash is left out.
  let metrics: [JSON]
  /// `bound.json` and `eval.json`.
  let certificate: JSON?
  let evaluation: JSON?
  /// `resolved.yaml`.
  let description: String?
  /// Pictures that a generator drew, in the order of their names.
  let samples: [(name: String, png: [UInt8])]

  /// More bytes of pictures are left out, the oldest first: a report is to be sent around.
  private static let pictureBytes = 8 << 20
  private static let pictures = 24

  /// - Throws: where the record cannot be read; then there is no run.
  init(_ directory: RunDirectory) throws(FormatError) {
    path = directory.path
    record = try Self.json(directory.record)
    let text = String(
      decoding: (try? InputFile.bytes(directory.metrics)) ?? [], as: UTF8.self)
    metrics = text.split(separator: "\n").compactMap { try? JSON(Array($0.utf8)) }
    certificate = access(directory.bound, F_OK) == 0 ? try Self.json(directory.bound) : nil
    evaluation =
      access(directory.evaluation, F_OK) == 0 ? try Self.json(directory.evaluation) : nil
    description = (try? InputFile.bytes(directory.resolved)).map {
      String(decoding: $0, as: UTF8.self)
    }
    samples = Self.pictures(in: directory)
  }

  private static func json(_ path: String) throws(FormatError) -> JSON {
    let bytes = try InputFile.bytes(path)
    do throws(JSONError) {
      return try JSON(bytes)
    } catch {
      throw FormatError(path: path, message: "is not JSON: \(error)")
    }
  }

  private static func pictures(in directory: RunDirectory) -> [(name: String, png: [UInt8])] {
    var chosen: [(name: String, png: [UInt8])] = []
    var room = pictureBytes
    for path in directory.samplePictures.reversed() where chosen.count < pictures {
      guard let bytes = try? InputFile.bytes(path), bytes.count <= room,
        bytes.starts(with: [0x89, 0x50, 0x4E, 0x47])
      else { continue }
      room -= bytes.count
      chosen.append((String(path[path.index(after: path.lastIndex(of: "/")!)...]), bytes))
    }
    return chosen.reversed()
  }
}
