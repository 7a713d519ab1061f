extension EventPayload {
    /// Where a further message of its plan begins.
    public struct Plan: Equatable, Sendable {
        /// Hash of the plan's key and of the ways that its steps go; of an older program, which wrote no ways, of its key alone.
        public var key: UInt32
        /// Over which the customer was told already.
        public var told: ChannelSet
        /// The same with routes, in the order in which they were told; empty: an older program wrote it.
        public var ways: [Way]
        /// How many of the ways were told by plans before this one, which it does not tell over again.
        public var earlier: UInt8

        /// How a step told a customer.
        public struct Way: Equatable, Sendable {
            public var channel: ChannelKind
            /// FNV-1a of the route that the step names; 0: it names none.
            public var route: UInt32

            public init(channel: ChannelKind, route: UInt32 = 0) {
                self.channel = channel
                self.route = route
            }
        }

        public init(key: UInt32, told: ChannelSet, ways: [Way] = [], earlier: UInt8 = 0) {
            self.key = key
            self.told = told
            self.ways = ways
            self.earlier = earlier
        }
    }
}

extension EventPayload.Plan {
    func write(to out: inout FieldWriter) {
        out.fixed(key)
        out.fixed(told.rawValue)
        guard !ways.isEmpty else { return }
        out.byte(earlier)
        for way in ways {
            out.byte(way.channel.rawValue)
            out.fixed(way.route)
        }
    }

    init(reading bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        do throws(CustomerFault) {
            var input = FieldReader(bytes)
            self.init(key: try input.fixed("plan"), told: ChannelSet(rawValue: try input.fixed("channels told")))
            guard !input.isAtEnd else { return }
            earlier = try input.byte("ways told earlier")
            while !input.isAtEnd {
                guard let channel = ChannelKind(rawValue: try input.byte("channel told")) else { throw .badValue(field: "channel told") }
                ways.append(Way(channel: channel, route: try input.fixed("route told")))
            }
        } catch {
            throw RecordFault(error)
        }
    }
}
