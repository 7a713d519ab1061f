public import MartletModel
public import NIOCore

/// Makes the connections of one entry of the settings: `NAME-1` ... `NAME-n`.
public enum SMPPConnections {
    /// - Parameters:
    ///   - firstNumber: of the first connection; the others follow.
    ///   - learning: of the group, shared by all its connections; nil: these have one of their own.
    ///   - random: of jitter; from a seeded generator in seeded worlds.
    /// - Throws: the first fault of the settings; nothing was made.
    public static func make(
        _ settings: SMPPConnectionSettings, firstNumber: ConnectionNumber, group: GroupNumber, on eventLoop: any EventLoop,
        owner: any ConnectionOwner, learning: ReceiptLearning? = nil, random: @escaping () -> UInt64
    ) throws(SMPPSettingsFault) -> [SMPPConnection] {
        if let fault = settings.faults().first { throw fault }
        // Reads the TLS files once, so that a wrong path is told at start and not at the first bind.
        _ = try SMPPSocketDialer(settings)
        let learning = learning ?? ReceiptLearning()
        return (0..<settings.binds).map { index in
            SMPPConnection(
                name: "\(settings.name)-\(index + 1)", number: firstNumber + ConnectionNumber(index), group: group, settings: settings,
                eventLoop: eventLoop, owner: owner, learning: learning, random: random, makeDialer: { try SMPPSocketDialer($0) })
        }
    }
}
