import Diagnostics
import Formats

/// Spans as a trace-event file: an object with `traceEvents`, each span a complete event (`ph` X) with
/// its begin `ts` and duration `dur` in microseconds on a thread `tid`.
///
/// Source: "Trace Event Format" of the Chromium project.
struct ChromeTrace {
  let recorder: SpanRecorder
  init(_ recorder: SpanRecorder) { self.recorder = recorder }

  func write(to path: String) throws(FormatError) {
    try AtomicFile.write(to: path) { (file) throws(FormatError) in
      try file.append(Array("{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n".utf8))
      var text = ""
      for (thread, name) in recorder.threads.enumerated() {
        text += Self.threadName(thread, name).compactText + ",\n"
      }
      for span in recorder.spans {
        text += Self.event(span).compactText + ",\n"
        if text.utf8.count > 1 << 20 {
          try file.append(Array(text.utf8))
          text = ""
        }
      }
      text += Self.processName.compactText
      text += "\n], \"otherData\": {\"spans left out\": \(recorder.dropped)}}\n"
      try file.append(Array(text.utf8))
    }
  }

  private static func event(_ span: SpanRecorder.Span) -> JSONValue {
    let name = span.number.map { "\(span.name) \($0)" } ?? span.name
    return .object([
      ("name", .string(name)), ("ph", "X"), ("pid", .int(1)), ("tid", .int(span.thread)),
      ("ts", .double(Double(span.start) / 1000)),
      ("dur", .double(Double(span.end - span.start) / 1000)),
    ])
  }

  private static func threadName(_ thread: Int, _ name: String) -> JSONValue {
    .object([
      ("name", "thread_name"), ("ph", "M"), ("pid", .int(1)), ("tid", .int(thread)),
      ("args", .object([("name", .string(name))])),
    ])
  }

  private static let processName = JSONValue.object([
    ("name", "process_name"), ("ph", "M"), ("pid", .int(1)),
    ("args", .object([("name", "lgc")])),
  ])
}
