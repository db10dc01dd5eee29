<?php
/**
 * Runs one scenario of scenarios.php in a real WordPress: `run.php SCENARIO`.
 */

$_SERVER['HTTP_HOST'] = parse_url( getenv( 'WP_TEST_URL' ), PHP_URL_HOST );
require __DIR__ . '/support.php';
require getenv( 'WP_TEST_ROOT' ) . '/wp-load.php';
require __DIR__ . '/scenarios.php';

$scenario = 'scenario_' . $argv[1];
if ( ! function_exists( $scenario ) ) {
	exit( "there is no $scenario\n" );
}
set_error_handler(
	static function ( $level, $text, $file, $line ) {
		// Of others' code, and of what was silenced with @, WordPress's own log hears.
		if ( ( error_reporting() & $level ) && false !== strpos( $file, '/peyk/' ) ) {
			throw new ErrorException( $text, 0, $level, $file, $line );
		}
		return false;
	}
);
begin();
$scenario();
if ( is_file( WP_DEBUG_LOG ) ) {
	lacks( '/plugins/peyk/', file_get_contents( WP_DEBUG_LOG ), 'the log of PHP' );
}
echo "done\n";
exit( 0 );
