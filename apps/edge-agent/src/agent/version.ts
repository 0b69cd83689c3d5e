// The version of this program, as others are told it.
import manifest from '../../package.json' with { type: 'json' }

/** That of the package: '0.1.0'. */
export const { version } = manifest
