/// How a feed of customers is paced, and what ends a try of it.
extension CustomerFeed {
    public struct Options: Sendable {
        /// Changes read from the store at once.
        public var window = 4096
        /// Waiting changes above which a base file is written instead.
        public var backlogMaximum: Int64 = 50_000
        public var page = 4096
        /// Between two looks for changes, and for the need of a base file.
        public var pushEvery = Duration.milliseconds(500)
        public var baseEvery = Duration.seconds(1)
        /// After a base file none is written for as long, and at least for so many times what it took.
        public var baseRest = Duration.seconds(10)
        public var restFactor = 4
        /// How long the node may take to have it in use.
        public var baseTaken = Duration.seconds(120)

        public init() {}
    }

    public enum Fault: Error, Equatable, CustomStringConvertible {
        /// The node goes on without it: it says why in its log and in `martlet status`.
        case notTaken(version: UInt64)

        public var description: String {
            switch self {
            case .notTaken(let version): "the node does not use base file \(version); `martlet status` says why"
            }
        }
    }
}
