import Synchronization

/// The pictures that are asked for, in memory: a push to a million customers asks for the same one a million times.
final class ImageCache: Sendable {
    private struct State {
        var entries: [String: (kind: ImageKind, bytes: [UInt8])] = [:]
        /// The oldest first.
        var order: [String] = []
        var bytes = 0
    }

    /// Bytes of all; the oldest go.
    private let most: Int
    private let state = Mutex(State())

    init(most: Int = 32 << 20) { self.most = most }

    func content(_ name: String) -> (kind: ImageKind, bytes: [UInt8])? { state.withLock { $0.entries[name] } }

    func keep(_ name: String, _ content: (kind: ImageKind, bytes: [UInt8])) {
        state.withLock { state in
            guard state.entries[name] == nil, content.bytes.count <= most else { return }
            state.entries[name] = content
            state.order.append(name)
            state.bytes += content.bytes.count
            while state.bytes > most, !state.order.isEmpty {
                state.bytes -= state.entries.removeValue(forKey: state.order.removeFirst())?.bytes.count ?? 0
            }
        }
    }

    func forget(_ name: String) {
        state.withLock { state in
            guard let gone = state.entries.removeValue(forKey: name) else { return }
            state.order.removeAll { $0 == name }
            state.bytes -= gone.bytes.count
        }
    }
}
