import COpenBLAS
import Glibc

/// Runs `body` for every index below `count`, on as many threads as there are cores, each with its
/// own state and with checked arithmetic of its own; no further index once one has returned false.
/// The linear algebra stays on one thread meanwhile: its threads would wait for each other on cores
/// that are busy. Inside of `body` this function runs everything on the one thread it is called on.
///
/// - Returns: whether `body` was run for all and returned true every time.
func allHold<State>(
  _ count: Int, makeState: () -> State, _ body: @escaping (Int, State) -> Bool
) throws(VerificationError) -> Bool {
  let workers = WorkerMark.isSet ? 1 : min(count, Int(openblas_available_cores()), 8)
  let queue = WorkQueue(count)
  let runs = (0..<max(workers, 1)).map { _ in
    let state = makeState()
    return WorkerRun(queue) { body($0, state) }
  }
  var threads: [pthread_t] = []
  for run in runs.dropFirst() {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(run).toOpaque()
    let status = pthread_create(&thread, nil, { argument in
      Unmanaged<WorkerRun>.fromOpaque(argument!).takeRetainedValue().run(isAlone: false)
      return nil
    }, argument)
    if status == 0 {
      threads.append(thread)
    } else {
      // Others, at least the calling thread, do its part.
      Unmanaged<WorkerRun>.fromOpaque(argument).release()
    }
  }
  runs[0].run(isAlone: workers <= 1)
  for thread in threads { pthread_join(thread, nil) }
  for run in runs { if let failure = run.failure { throw failure } }
  return queue.isDone
}

/// Whether the current thread is one of several that share the cores.
enum WorkerMark {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    precondition(pthread_key_create(&key, nil) == 0, "no key for a thread's own data is left")
    return key
  }()

  static var isSet: Bool { pthread_getspecific(key) != nil }

  static func during(_ body: () -> Void) {
    let former = pthread_getspecific(key)
    pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1))
    defer { pthread_setspecific(key, former) }
    body()
  }
}

private final class WorkerRun {
  private let queue: WorkQueue
  private let body: (Int) -> Bool
  /// Read after the thread has ended.
  private(set) var failure: VerificationError?

  init(_ queue: WorkQueue, _ body: @escaping (Int) -> Bool) {
    self.queue = queue
    self.body = body
  }

  func run(isAlone: Bool) {
    if isAlone { return work() }
    WorkerMark.during { work() }
  }

  private func work() {
    do throws(VerificationError) {
      try Arithmetic.checked {
        while let index = queue.next() { queue.finish(body(index)) }
      }
    } catch {
      failure = error
    }
  }
}

/// Hands out the numbers below a count, one at a time, until one of them was found false.
private final class WorkQueue {
  private let count: Int
  private var taken = 0
  private var held = 0
  private var isRefused = false
  private var lock = pthread_mutex_t()

  init(_ count: Int) {
    self.count = count
    pthread_mutex_init(&lock, nil)
  }
  deinit { pthread_mutex_destroy(&lock) }

  func next() -> Int? {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    guard taken < count, !isRefused else { return nil }
    taken += 1
    return taken - 1
  }

  func finish(_ holds: Bool) {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    if holds { held += 1 } else { isRefused = true }
  }

  /// After all threads have ended: whether each number was found true.
  var isDone: Bool { held == count }
}
