import MartletModel

@testable import MartletEngine

/// A source's quota holds for all loops together: each has a share of it, and whoever used up its own asks the others for some of
/// theirs. The shares are in no log. What was used of them is, so a start deals what is left anew.
extension WorldLoop {
    func used(_ source: SourceNumber) -> Int { Int(engine.today(source, instant).parts) }

    /// At a start, from what the logs of all loops say that was used.
    func shareQuotas() {
        for (source, limit) in world.limits where limit.dailyQuota > 0 {
            let taken = others.reduce(0) { $0 + ($1.running ? $1.shares[source] ?? 0 : $1.usedByLog(source)) }
            let left = limit.dailyQuota - taken
            // Those that are not there yet are left half of what nobody used.
            let own = others.allSatisfy(\.running) ? left : used(source) + (left - used(source)) / 2
            shares[source] = sabotage == .sharesNothing ? limit.dailyQuota : own
        }
        setLimits()
    }

    private func usedByLog(_ source: SourceNumber) -> Int {
        Int(World.folded(log.remaining, configuration, instant).today(source, instant).parts)
    }

    private func setLimits() {
        var own = world.limits
        for (source, limit) in own {
            // 0 is no limit at all.
            own[source]?.rate = limit.rate == 0 ? 0 : max(1, limit.rate / world.loops.count)
            if limit.dailyQuota > 0 { own[source]?.dailyQuota = max(1, shares[source] ?? 0) }
        }
        engine.set(limits: own, instant)
    }

    /// Its share is used up: the next submission may have more.
    func askForShare(_ source: SourceNumber) {
        guard let other = others.first, !asksForShare else { return }
        asksForShare = true
        let born = life
        world.whatever(dice.between(Int64(20), 3_000)) { [unowned self] _ in
            asksForShare = false
            other.enter { $0.giveShare(source, to: self, born) }
        }
    }

    private func giveShare(_ source: SourceNumber, to other: WorldLoop, _ born: Int) {
        let slack = (shares[source] ?? 0) - max(1, used(source))
        guard slack > 0, sabotage != .sharesNothing else { return }
        let given = (slack + 1) / 2
        shares[source, default: 0] -= given
        setLimits()
        // What is on its way to a loop that died is in nobody's share; that loop's next start takes it up.
        other.whatever(dice.between(Int64(20), 3_000)) { other in
            guard other.running, other.life == born else { return }
            other.enter {
                $0.shares[source, default: 0] += given
                $0.setLimits()
                $0.world.sharesMoved += 1
            }
        }
    }
}
