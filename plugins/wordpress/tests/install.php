<?php
/**
 * Installs WordPress into an empty database, with an administrator, a subscriber and the plugins.
 */

mysqli_report( MYSQLI_REPORT_OFF );
$until = microtime( true ) + 60;
do {
	$database = @new mysqli( null, 'root', '', '', 0, getenv( 'WP_TEST_SOCKET' ) );
	usleep( 50000 );
} while ( $database->connect_errno && microtime( true ) < $until );
if ( $database->connect_errno || ! $database->query( 'CREATE DATABASE wordpress CHARACTER SET utf8mb4' ) ) {
	exit( "no database: {$database->connect_error}\n" );
}

define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST'] = parse_url( getenv( 'WP_TEST_URL' ), PHP_URL_HOST );
require getenv( 'WP_TEST_ROOT' ) . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
// No mail leaves a test.
add_filter( 'pre_wp_mail', '__return_false' );
wp_install( 'فروشگاه <آزمون>', 'admin', 'admin@example.com', true, '', 'admin-password' );
wp_create_user( 'reader', 'reader-password', 'reader@example.com' );
foreach ( array( 'woocommerce-stand-in.php', 'peyk/peyk.php' ) as $plugin ) {
	$error = activate_plugin( $plugin );
	if ( is_wp_error( $error ) ) {
		exit( $error->get_error_message() . "\n" );
	}
}
echo "installed\n";
