import Glibc

/// What the results of a run depend on beside its description.
public enum Machine {
  /// The processor's name as the system gives it.
  public static var processor: String { field("model name", of: "/proc/cpuinfo") ?? "unknown" }

  /// How many processors this process may use.
  public static var processors: Int {
    let mask = field("Cpus_allowed", of: "/proc/self/status") ?? ""
    return max(1, mask.reduce(0) { $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount })
  }

  /// The value of the first line `name : value` of a short file that states no size.
  private static func field(_ name: String, of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 8192)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return nil }
    for line in buffer[..<count].split(separator: UInt8(ascii: "\n")) {
      let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
      func trimmed(_ part: ArraySlice<UInt8>) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        return String(
          decoding: part.drop(while: isBlank).reversed().drop(while: isBlank).reversed(),
          as: UTF8.self)
      }
      if parts.count == 2, trimmed(parts[0]) == name { return trimmed(parts[1]) }
    }
    return nil
  }
}
