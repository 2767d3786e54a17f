/*
 * A screen locker as PAM sees it: it runs as the user whose screen it unlocks, has no privilege, and goes on living
 * whatever comes of the check. Usage: locker SERVICE USER; prints "unlocked" or "locked: REASON", then "alive".
 */
#include <security/pam_appl.h>
#include <security/pam_misc.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct pam_conv conv = { misc_conv, NULL };
	pam_handle_t *pamh = NULL;
	int ret;

	if (argc != 3)
		return 2;
	ret = pam_start(argv[1], argv[2], &conv, &pamh);
	if (ret == PAM_SUCCESS)
		ret = pam_authenticate(pamh, 0);
	if (ret == PAM_SUCCESS)
		printf("unlocked\n");
	else
		printf("locked: %s\n", pam_strerror(pamh, ret));
	pam_end(pamh, ret);
	printf("alive\n");
	return ret != PAM_SUCCESS;
}
