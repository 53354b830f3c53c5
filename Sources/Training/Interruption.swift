import Glibc
import Synchronization

/// Control-C (SIGINT) or SIGTERM as a flag that the loop looks at between steps. The same signal a
/// second time ends the process at once.
public enum Interruption {
  private static let flag = Atomic<Bool>(false)

  /// From now on the first SIGINT or SIGTERM only sets the flag.
  public static func catchOnce() {
    flag.store(false, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in Interruption.mark() }
    action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
    sigemptyset(&action.sa_mask)
    for signal in [SIGINT, SIGTERM] { sigaction(signal, &action, nil) }
    // A parent may have started this process with the signals blocked; blocks are inherited.
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  public static var isRequested: Bool { flag.load(ordering: .relaxed) }

  fileprivate static func mark() { flag.store(true, ordering: .relaxed) }
}
