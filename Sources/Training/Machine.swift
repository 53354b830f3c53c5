import Formats
import Glibc

/// What the results of a run depend on beside its description.
public enum Machine {
  /// The processor's name as the system gives it.
  public static var processor: String {
    // /proc files state no size: they are read until they end.
    let descriptor = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "unknown" }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return "unknown" }
    let lines = buffer[..<count].split(separator: UInt8(ascii: "\n"))
    for line in lines where line.starts(with: "model name".utf8) {
      let value = line.drop { $0 != UInt8(ascii: ":") }.dropFirst()
      let text = String(decoding: value, as: UTF8.self)
      return String(text.drop { $0 == " " })
    }
    return "unknown"
  }

  /// How many processors this process may use.
  public static var processors: Int {
    var set = cpu_set_t()
    guard sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) == 0 else { return 1 }
    return withUnsafeBytes(of: &set) { $0.reduce(0) { $0 + $1.nonzeroBitCount } }
  }
}
