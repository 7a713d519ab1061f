import MartletModel

extension MessageClass {
    /// Milliseconds to wait after this many attempts met a passing refusal; nil: that was the last.
    /// Security has no end but its deadline; a code is worth little after a few seconds.
    func pause(after attempts: UInt8) -> Int64? {
        let steps: [Int64]
        switch self {
        case .security, .employeeAlarm:
            steps = [1_000, 5_000, 15_000, 30_000]
            return steps[min(Int(max(1, attempts)) - 1, steps.count - 1)]
        case .otp: steps = [1_000, 3_000, 10_000]
        case .transactional: steps = [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 7_200_000]
        case .service, .actionRequired, .employeeInfo: steps = [10_000, 60_000, 300_000, 1_800_000, 7_200_000]
        case .marketing: steps = [60_000, 600_000, 3_600_000]
        }
        let step = Int(max(1, attempts)) - 1
        return step < steps.count ? steps[step] : nil
    }
}
