import Glibc

/// How the C library keeps large blocks of memory.
enum LargeBlocks {
    /// Blocks of at least so many bytes are the kernel's again as soon as they are freed.
    static let bytes: CInt = 1 << 20

    /// glibc raises that bound by itself to 32 MB as such blocks are freed, and then keeps them: of a million queued messages about 40 MB
    /// were tables of finished segments that nothing used any more. A bound that was set stays.
    ///
    /// Does nothing where there is no `mallopt`; it is looked up because Swift's Glibc module leaves it out.
    static func areGivenBack() {
        guard let symbol = dlsym(nil, "mallopt") else { return }
        // The C library's own function of that name, with the form that <malloc.h> gives it.
        let setOption = unsafeBitCast(symbol, to: (@convention(c) (CInt, CInt) -> CInt).self)
        let mmapThreshold: CInt = -3
        _ = setOption(mmapThreshold, bytes)
    }
}
