/// Certificates of clients, made for these tests and trusted by nobody else: an authority, two that it signed, and one that claims the
/// first one's name without it.
enum TestAuthority {
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBmjCCAT+gAwIBAgIUCMELQuK38PQ1+BB06XnIcJgTn8gwCgYIKoZIzj0EAwIw
        ITEfMB0GA1UEAwwWTWFydGxldCB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjMwMDUz
        MTBaGA8yMTI2MTAzMDAwNTMxMFowITEfMB0GA1UEAwwWTWFydGxldCB0ZXN0IGF1
        dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCGSGM9aPD4PL8//FpC1
        RW8RZOJ5qZxJ75hWH0ktuT1+fXSPL8gTW8d90ihttkzINCqc3CtzgAGJwHME4vUj
        pAejUzBRMB0GA1UdDgQWBBTUITsvQv/UqOSVe1OezOad4VmJCTAfBgNVHSMEGDAW
        gBTUITsvQv/UqOSVe1OezOad4VmJCTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
        BAMCA0kAMEYCIQDui5qF/ucQp+kSxKFfTxVQHfD+H80wzerAGhBzD2d1hwIhAOcf
        6leJ4rVUGJAlF3oJAgxgzbURjkBfupFTNrHFkM4V
        -----END CERTIFICATE-----

        """
    static let core = """
        -----BEGIN CERTIFICATE-----
        MIICADCCAaWgAwIBAgIUPais9/ZMykN4TDb7WGROW4VDN4AwCgYIKoZIzj0EAwIw
        ITEfMB0GA1UEAwwWTWFydGxldCB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjMwMDUz
        MTBaGA8yMTI2MTAzMDAwNTMxMFowJjENMAsGA1UECgwEQmFuazEVMBMGA1UEAwwM
        Y29yZS1iYW5raW5nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEm4Y0DTURfX3x
        540EaR7XDZgk4T/lEh5RUbFIACZvpVrGOBG9tUlZXeindI1IsEoUem7CNYTj9cw2
        zf9juAHXsaOBszCBsDBLBgNVHREERDBCghFjb3JlLmJhbmsuZXhhbXBsZYYac3Bp
        ZmZlOi8vYmFuay5leGFtcGxlL2NvcmWBEWNvcmVAYmFuay5leGFtcGxlMBMGA1Ud
        JQQMMAoGCCsGAQUFBwMCMAwGA1UdEwEB/wQCMAAwHQYDVR0OBBYEFLOJe0gDf5OF
        XfCG4JvrUti+TrukMB8GA1UdIwQYMBaAFNQhOy9C/9So5JV7U57M5p3hWYkJMAoG
        CCqGSM49BAMCA0kAMEYCIQDnlhl/vW2M4hCcipcDjoKk208L/RHGaHvOyDJUv9yC
        lwIhALZPvwtnq3L38RMkR+1Z+D9ZhJAqkYdeRPTgiEF+/qpR
        -----END CERTIFICATE-----

        """
    static let coreKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/d4i5PaVPEMPIOEv
        +JSamgjpPke9SLn2bsQNEDWW+1ihRANCAASbhjQNNRF9ffHnjQRpHtcNmCThP+US
        HlFRsUgAJm+lWsY4Eb21SVld6Kd0jUiwShR6bsI1hOP1zDbN/2O4Adex
        -----END PRIVATE KEY-----

        """
    static let other = """
        -----BEGIN CERTIFICATE-----
        MIIBjDCCATKgAwIBAgIUPais9/ZMykN4TDb7WGROW4VDN4EwCgYIKoZIzj0EAwIw
        ITEfMB0GA1UEAwwWTWFydGxldCB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjMwMDUz
        MTBaGA8yMTI2MTAzMDAwNTMxMFowEDEOMAwGA1UEAwwFb3RoZXIwWTATBgcqhkjO
        PQIBBggqhkjOPQMBBwNCAASZBFu84myIufXZYzwYVplkHE8raldQkBv38QGI4JP+
        21qHvyYUbxzQ6ZkGzJCezJQWEMTcgrhFtlauUWso91aco1cwVTATBgNVHSUEDDAK
        BggrBgEFBQcDAjAdBgNVHQ4EFgQUFsa+G6jAhgGZCKRdU/8d09d0U9EwHwYDVR0j
        BBgwFoAU1CE7L0L/1KjklXtTnszmneFZiQkwCgYIKoZIzj0EAwIDSAAwRQIhAMoV
        T7Fe446KKUugL73DOh5cD8tj0U/rGVj+dpov5F7bAiALAqhe0duMqArcOQGrZWXW
        rhf8iA6VVZmZqxN0o4ssuw==
        -----END CERTIFICATE-----

        """
    static let otherKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEcYt78oeGnR7bZuf
        6rETb7Rt0XBSlYbf2iSIofwhrC6hRANCAASZBFu84myIufXZYzwYVplkHE8raldQ
        kBv38QGI4JP+21qHvyYUbxzQ6ZkGzJCezJQWEMTcgrhFtlauUWso91ac
        -----END PRIVATE KEY-----

        """
    static let rogue = """
        -----BEGIN CERTIFICATE-----
        MIIBhDCCASugAwIBAgIUODFAz2NjR2k55FLQQJe90CDbUPUwCgYIKoZIzj0EAwIw
        FzEVMBMGA1UEAwwMY29yZS1iYW5raW5nMCAXDTI2MTEyMzAwNTMxMFoYDzIxMjYx
        MDMwMDA1MzEwWjAXMRUwEwYDVQQDDAxjb3JlLWJhbmtpbmcwWTATBgcqhkjOPQIB
        BggqhkjOPQMBBwNCAARNU+8rCDR9lS44coqDdKpbTWERzLNpDeW7SrV3m03A6ppV
        YZHGkjt260ZjrvnONoBzX2NsJxuukiCVgdypM2H3o1MwUTAdBgNVHQ4EFgQUPaJN
        qlO/w8vQ3UBYnS+cIdku7U4wHwYDVR0jBBgwFoAUPaJNqlO/w8vQ3UBYnS+cIdku
        7U4wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAIAHLjvGOYbh6j
        6IhSmjEjTeyIOVRUzDDRIyARNb+F/wIgH/mNUeKx6MbdjYsA1Ph1zMpj+5DxuBzL
        93VKDeT/tcQ=
        -----END CERTIFICATE-----

        """
    static let rogueKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDSOpi3Q6QjUOU14b
        qcAwzBKT1r95ZFCC/ZnSBFbkHP6hRANCAARNU+8rCDR9lS44coqDdKpbTWERzLNp
        DeW7SrV3m03A6ppVYZHGkjt260ZjrvnONoBzX2NsJxuukiCVgdypM2H3
        -----END PRIVATE KEY-----

        """
}
