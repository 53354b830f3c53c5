import Glibc

/// An event file that TensorBoard reads while it grows: `events.out.tfevents.<seconds>.<host>`.
///
/// Each record is one write, so that a process killed at any moment leaves whole ones. TensorBoard
/// reads the files of a folder in the order of their names.
public final class TensorBoardLog {
  public let path: String
  private let file: LineFile

  /// Makes a new file in `folder`.
  ///
  /// - Parameter resumed: the first step that will be logged, where an earlier process has logged
  ///   some: TensorBoard then drops what earlier files say of this and later steps.
  public init(in folder: String, time: Double, resumed: Int? = nil) throws(FormatError) {
    let digits = String(Int(time))
    let stem = "\(folder)/events.out.tfevents."
      + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + "." + Self.host
    var path = stem
    var attempt = 1
    // Two processes may start in the same second; the later name sorts behind the earlier one.
    while access(path, F_OK) == 0 {
      path = "\(stem).\(attempt)"
      attempt += 1
    }
    self.path = path
    file = try LineFile(path)
    try append(TensorBoardEvent(time: time, step: 0, .fileVersion))
    if let resumed { try append(TensorBoardEvent(time: time, step: resumed, .start)) }
  }

  public func append(_ event: TensorBoardEvent) throws(FormatError) {
    try file.append(event.record)
  }

  private static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0, name[0] != 0 else { return "localhost" }
    let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return String(text.map { $0 == "/" ? "-" : $0 })
  }
}
