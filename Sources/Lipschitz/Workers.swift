import Glibc

/// Runs `body` for every index below `count` on as many threads as there are cores, each with its
/// own state from `makeState`; returns when all are done.
///
/// Threads inherit the arithmetic of the one that calls.
func concurrently<State>(
  _ count: Int, makeState: () -> State, _ body: @escaping (Int, inout State) -> Void
) {
  let workers = min(count, LinearAlgebra.availableCores, 8)
  if workers <= 1 {
    var state = makeState()
    for index in 0..<count { body(index, &state) }
    return
  }
  let queue = WorkQueue(count)
  let runs = (0..<workers).map { _ in
    WorkerRun {
      [state = makeState()] in
      var state = state
      while let index = queue.next() { body(index, &state) }
    }
  }
  var threads: [pthread_t] = []
  for run in runs.dropFirst() {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(run).toOpaque()
    let status = pthread_create(&thread, nil, { argument in
      Unmanaged<WorkerRun>.fromOpaque(argument!).takeRetainedValue().work()
      return nil
    }, argument)
    if status == 0 {
      threads.append(thread)
    } else {
      Unmanaged<WorkerRun>.fromOpaque(argument).release()
    }
  }
  runs[0].work()
  for thread in threads { pthread_join(thread, nil) }
}

private final class WorkerRun {
  let work: () -> Void
  init(_ work: @escaping () -> Void) { self.work = work }
}

/// Hands out the numbers below a count, one at a time.
private final class WorkQueue {
  private var taken = 0
  private let count: Int
  private var lock = pthread_mutex_t()

  init(_ count: Int) {
    self.count = count
    pthread_mutex_init(&lock, nil)
  }
  deinit { pthread_mutex_destroy(&lock) }

  func next() -> Int? {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    guard taken < count else { return nil }
    taken += 1
    return taken - 1
  }
}
