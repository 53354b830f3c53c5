import Synchronization

/// What a run does when: spans of time on each of its threads, and how they add up.
///
/// Code marks its spans with `SpanRecorder.span`, which costs next to nothing while nobody records.
/// The spans of the thread that trains nest; other threads add theirs when they are over.
public final class SpanRecorder: Sendable {
  /// What is recording now.
  @TaskLocal static var current: SpanRecorder?

  struct Span: Sendable {
    let name: String
    /// Of several alike, such as steps.
    let number: Int?
    let thread: Int
    /// Nanoseconds since the recording began.
    let start: Int
    let end: Int
  }

  /// Spans that nothing else is inside of, or what is left of one when those inside it are taken
  /// away.
  struct Account: Hashable, Sendable {
    /// The part of the run: `training`, `evaluation`.
    let section: String
    let name: String
  }
  struct Entry: Sendable {
    var count = 0
    var nanoseconds = 0
  }

  /// Spans kept; beyond them only the accounts go on, and the spans of sections.
  static let mostSpans = 200_000

  fileprivate struct Open {
    let name: String
    let number: Int?
    let section: String
    let start: Int
    /// Spent in spans inside this one.
    var inside = 0
  }
  fileprivate struct State {
    var spans: [Span] = []
    var dropped = 0
    var open: [Open] = []
    var accounts: [Account: Entry] = [:]
    var order: [Account] = []
    var threads = [mainThreadName]
  }
  static let mainThreadName = "training"
  private let origin: Int64
  private let state = Mutex(State())

  init() { origin = Clock.nanoseconds }

  /// Runs `body` as the whole recording.
  func record<Result, Failure: Error>(
    _ name: String, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let result = Self.$current.withValue(self) { () -> Swift.Result<Result, Failure> in
      do throws(Failure) {
        return .success(try Self.section(name, body))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Runs `body` as a span of this thread, if someone records.
  static func span<Result, Failure: Error>(
    _ name: @autoclosure () -> String, number: Int? = nil,
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let current else { return try body() }
    current.begin(name(), number, isSection: false)
    defer { current.end() }
    return try body()
  }

  /// The same for a part of the run with accounts of its own.
  static func section<Result, Failure: Error>(
    _ name: String, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let current else { return try body() }
    current.begin(name, nil, isSection: true)
    defer { current.end() }
    return try body()
  }

  private func begin(_ name: String, _ number: Int?, isSection: Bool) {
    let now = elapsed
    state.withLock { state in
      let section = isSection ? name : state.open.last?.section ?? name
      state.open.append(Open(name: name, number: number, section: section, start: now))
    }
  }

  private func end() {
    let now = elapsed
    state.withLock { state in
      guard let span = state.open.popLast() else { return }
      let duration = now - span.start
      if !state.open.isEmpty { state.open[state.open.count - 1].inside += duration }
      let name = span.name == span.section ? "rest" : span.name
      state.add(Account(section: span.section, name: name), duration - span.inside)
      let isKept = state.open.count < 2
      state.keep(
        Span(name: span.name, number: span.number, thread: 0, start: span.start, end: now), isKept)
    }
  }

  /// A thread beside the training one.
  func newThread(_ name: String) -> Int {
    state.withLock { state in
      state.threads.append(name)
      return state.threads.count - 1
    }
  }

  /// A span of another thread, or inside the present one without an account of its own.
  func add(_ name: String, number: Int? = nil, thread: Int, from start: Int64, to end: Int64) {
    let span = Span(
      name: name, number: number, thread: thread, start: Int(start - origin),
      end: Int(end - origin))
    state.withLock { $0.keep(span, false) }
  }

  private var elapsed: Int { Int(Clock.nanoseconds - origin) }

  // MARK: results

  var spans: [Span] { state.withLock { $0.spans } }
  /// How many spans there was no room for.
  var dropped: Int { state.withLock { $0.dropped } }
  var threads: [String] { state.withLock { $0.threads } }
  /// In the order in which they first occurred. Together they are the outermost span.
  var accounts: [(account: Account, entry: Entry)] {
    state.withLock { state in state.order.map { ($0, state.accounts[$0]!) } }
  }
}

extension SpanRecorder.State {
  fileprivate mutating func add(_ account: SpanRecorder.Account, _ nanoseconds: Int) {
    if accounts[account] == nil { order.append(account) }
    accounts[account, default: .init()].count += 1
    accounts[account]!.nanoseconds += nanoseconds
  }

  fileprivate mutating func keep(_ span: SpanRecorder.Span, _ isKept: Bool) {
    if spans.count < SpanRecorder.mostSpans || isKept {
      spans.append(span)
    } else {
      dropped += 1
    }
  }
}
