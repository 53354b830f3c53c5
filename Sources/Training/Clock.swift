import Glibc

/// Time as the runs need it.
public enum Clock {
  /// Seconds since some moment; never runs backwards.
  public static var seconds: Double { Double(nanoseconds) * 1e-9 }

  /// The same in nanoseconds, as the engine's moments are.
  public static var nanoseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Seconds since 1970 began, UTC.
  static var sinceEpoch: Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Now in UTC as `2026-11-21T05:04:03.123Z`, which sorts as text.
  public static var timestamp: String {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var parts = tm()
    gmtime_r(&time.tv_sec, &parts)
    let clock = [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)].map { padded($0, 2) }
    let milliseconds = padded(time.tv_nsec / 1_000_000, 3)
    return "\(date(parts))T\(clock.joined(separator: ":")).\(milliseconds)Z"
  }

  /// Today in local time as `2026-11-21`.
  public static var date: String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    return date(parts)
  }

  private static func date(_ parts: tm) -> String {
    "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))-"
      + padded(Int(parts.tm_mday), 2)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
