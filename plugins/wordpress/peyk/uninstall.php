<?php
/**
 * Removes what the plugin wrote: settings, the password, the log, its own numbers of users, its tasks.
 *
 * @package Peyk
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/includes/class-peyk-numbers.php';
require_once __DIR__ . '/includes/class-peyk-settings.php';
require_once __DIR__ . '/includes/class-peyk-api.php';
require_once __DIR__ . '/includes/class-peyk-messages.php';

if ( is_multisite() ) {
	foreach ( get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) as $peyk_site ) {
		switch_to_blog( $peyk_site );
		Peyk_Messages::uninstall();
		restore_current_blog();
	}
} else {
	Peyk_Messages::uninstall();
}
delete_metadata( 'user', 0, 'peyk_phone', '', true );
