import MartletEngine
public import MartletModel

/// Over which channels events can be handed over at all. What a person holds back counts as served: it waits, as ready texts do.
extension Node {
    /// Connection groups of the settings, whether or not their connections have begun.
    public func set(connected groups: Set<GroupNumber>) {
        connected = groups
        serve()
    }

    /// Called whenever a connection comes or goes.
    func serve() {
        let hasSMS = !connected.isEmpty || byGroup.contains { !$0.value.isEmpty }
        engine.set(served: hasSMS ? ChannelSet(.sms) : [])
    }
}
